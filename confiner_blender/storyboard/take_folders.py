# SPDX-License-Identifier: GPL-3.0-or-later
"""Where takes stand: in a folder beside the .blend, or in the extension's own while the .blend is unsaved.

<name>.blend
<name>_confiner/shot_1a2b3c4d/take_5e6f7a8b/frame_0001.png … take.json
"""

from __future__ import annotations

import shutil
from pathlib import Path


def home_of(blend: Path) -> Path:
    """The folder that holds every take of a .blend."""
    return blend.with_name(f"{blend.stem}_confiner")


def take_folder(home: Path, shot: str, take: str) -> Path:
    """A take's folder, named by the first signs of its ids."""
    return home / f"shot_{short(shot)}" / f"take_{short(take)}"


def short(uuid: str) -> str:
    """The part of an id that people see."""
    return uuid.replace("-", "")[:8]


def copy_take(source: Path, target: Path) -> bool:
    """Copy a take's files to `target`, where they are not there yet. False if there is nothing to copy.

    Raises:
        OSError: the disk does not take it; what lies in `source` is untouched.
    """
    if not source.is_dir() or source == target:
        return False
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        # A finished file never changes, so one that is there already is the same one.
        if path.is_file() and not path.name.startswith(".") and not (target / path.name).exists():
            part = target / f".{path.name}.part"
            shutil.copy2(path, part)
            part.replace(target / path.name)
    return True
