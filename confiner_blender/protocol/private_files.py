# SPDX-License-Identifier: GPL-3.0-or-later
"""The one rule for what is kept in the user's runtime and data folders: it is this user's alone, and never a link.

Prompts, frames and tokens lie there. So folders are made closed to others (0700), files too (0600), whatever the umask
is; what an earlier release left open is closed; and what a name of ours leads to, but is a link or somebody else's, is
refused with a sentence, not written to. Windows keeps a profile's folders from other users by itself and has no such
modes: there, nothing is checked.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from .errors import UnusablePlace
from .rendezvous import HOME_VARIABLE

POSIX = os.name == "posix"
OTHERS = 0o077
UMASK = OTHERS if POSIX else -1
"""For a process that writes there by other hands than these, as `subprocess` takes it."""

WRITING = os.O_WRONLY | os.O_RDWR


def private_folder(folder: Path) -> Path:
    """`folder`, made with all that is missing above it, and closed to others.

    Raises:
        UnusablePlace: a link, a file or another user's folder has its name, or it cannot be made.
    """
    try:
        for missing in reversed([place for place in (folder, *folder.parents) if not os.path.lexists(place)]):
            missing.mkdir(mode=0o700, exist_ok=True)
        seen = folder.lstat()
    except OSError as error:
        remedy = f"make room for it there, or let the variable {HOME_VARIABLE} name another folder"
        raise UnusablePlace(f"the folder {folder} cannot be made: {error.strerror or error}", remedy) from error
    if not is_real_folder(seen):
        kind = "a link" if stat.S_ISLNK(seen.st_mode) else "no folder"
        remedy = (
            f"put a folder in its place; to keep things elsewhere, let the variable {HOME_VARIABLE} name another folder"
        )
        raise UnusablePlace(f"{folder} is {kind}, expected a folder of the sidecar's own", remedy)
    _check_owner(folder, seen)
    _close(folder, seen)
    return folder


def close_to_others(folder: Path) -> None:
    """Close the files that lie directly in `folder`. Links, other users' files, and folders are left as they are."""
    if not POSIX:
        return
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):  # a process that ends takes its files along
            seen = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1 and is_own(seen):
                _close(Path(entry.path), seen)


def open_private(path: str | Path, flags: int, mode: int = 0o600) -> int:
    """An opener for `open`: what is written is closed to others, and nothing is read or written through a link.

    Raises:
        UnusablePlace: a link, a folder, another user's file, or a file with a second name elsewhere is there.
        OSError: as `os.open`.
    """
    if not POSIX:
        return os.open(path, flags, mode)
    check_file(Path(path), writing=bool(flags & WRITING))
    descriptor = os.open(path, (flags & ~os.O_TRUNC) | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if flags & WRITING:
        _close(descriptor, os.fstat(descriptor))
    if flags & os.O_TRUNC:
        os.ftruncate(descriptor, 0)
    return descriptor


def check_file(path: Path, *, writing: bool = True) -> None:
    """Refuse what is at `path` if it is no file of this user's own; nothing there is fine.

    Raises:
        UnusablePlace: with what is there instead.
    """
    try:
        seen = path.lstat()
    except FileNotFoundError:
        return
    if not POSIX:
        return
    if not stat.S_ISREG(seen.st_mode):
        kind = "a link" if stat.S_ISLNK(seen.st_mode) else "no file"
        raise UnusablePlace(f"{path} is {kind}, expected a file of the sidecar's own", "take it away from there")
    if writing and seen.st_nlink > 1:
        seen_here = f"{path} has a second name elsewhere (a hard link), expected a file of the sidecar's own"
        raise UnusablePlace(seen_here, f"put a copy in its place: cp {path} copy && mv copy {path}")
    _check_owner(path, seen)


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds the old or the new content at every moment, and the new one afterwards.

    A link at `path` is replaced; what it leads to stays as it is.

    Raises:
        UnusablePlace: a folder is there, or its own folder is a link or another user's.
    """
    private_folder(path.parent)
    unfinished = unfinished_path(path)
    unfinished.unlink(missing_ok=True)
    with open(unfinished, "xb", opener=open_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink()
        if not path.is_dir():
            raise
        raise UnusablePlace(f"{path} is no file, expected a file of the sidecar's own", "take it away") from error


def unfinished_path(path: Path) -> Path:
    """A name in the same folder, of this process alone: a worker may still be dying when its successor writes."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def read_private(path: Path) -> bytes:
    """What the file holds.

    Raises:
        UnusablePlace: it is a link or another user's, so nothing that it says can be trusted.
        OSError: as `open`.
    """
    with open(path, "rb", opener=open_private) as file:
        return file.read()


def is_real_folder(seen: os.stat_result) -> bool:
    """Whether this is a folder itself and no link to one; `seen` is from `lstat`."""
    return stat.S_ISDIR(seen.st_mode)


def is_own(seen: os.stat_result) -> bool:
    """Whether it belongs to the user whom this process works for."""
    return not POSIX or seen.st_uid == os.geteuid()


def _check_owner(path: Path, seen: os.stat_result) -> None:
    if not is_own(seen):
        us = os.geteuid()
        message = f"{path} belongs to the user {_user(seen.st_uid)}, expected {_user(us)}, who runs this"
        remedy = (
            f"give it back (sudo chown -R {us} {path}), or let the variable {HOME_VARIABLE} name a folder of your own"
        )
        raise UnusablePlace(message, remedy)


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _close(place: Path | int, seen: os.stat_result) -> None:
    """Take from group and others what they may do with it. A disk that keeps no modes keeps none of these either."""
    if POSIX and seen.st_mode & OTHERS:
        with contextlib.suppress(OSError):
            os.chmod(place, stat.S_IMODE(seen.st_mode) & ~OTHERS)
