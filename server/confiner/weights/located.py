# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a part of a chain is made of, and the hash by which they are known."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

from ..chains import WeightSource
from ..chains.tensor_file import weight_files
from ..errors import WeightsMissing


def path_of(place: WeightSource) -> Path:
    """The place's folder or file, or WeightsMissing."""
    folder = place.folder()
    if folder is not None:
        return folder
    raise WeightsMissing(f"no {place} on this machine", "the chain's weights", "download them, or choose another chain")


@dataclass(frozen=True)
class LocatedWeights:
    """Where a part of a chain lies on this machine, and the hash of what is read from there."""

    path: Path
    digest: str

    @classmethod
    def at(cls, path: Path) -> LocatedWeights:
        return cls(path, content_hash(path))


def locate_weights(place: WeightSource) -> LocatedWeights:
    """What this machine holds of the place, or WeightsMissing."""
    return LocatedWeights.at(path_of(place))


def content_hash(path: Path) -> str:
    """SHA-256 of the names and contents of what is read from `path`, a file or a folder."""
    digest = hashlib.sha256()
    for file in [path] if path.is_file() else _read_files(path):
        digest.update(f"{file.name}\0{file_hash(file)}\0".encode())
    return digest.hexdigest()


def file_hash(file: Path) -> str:
    """SHA-256 of a file's content. The hub's cache names large files by theirs, so those need not be read."""
    target = PurePath(os.readlink(file)) if file.is_symlink() else file
    if target.parent.name == "blobs" and len(target.name) == hashlib.sha256().digest_size * 2:
        return target.name
    facts = file.stat()
    return _hash_of_content(file, facts.st_size, facts.st_mtime_ns)


def _read_files(folder: Path) -> list[Path]:
    if weights := weight_files(folder):
        return [folder / "config.json", *weights]
    return sorted(file for file in folder.iterdir() if file.is_file() and file.name[0] != ".")  # a tokenizer


@lru_cache(maxsize=256)
def _hash_of_content(file: Path, size: int, changed: int) -> str:
    """`size` and `changed` only tell one version of the file from the next."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
