# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar's wheel that lies in the extension, so that whoever has the add-on has a sidecar of the same version."""

from __future__ import annotations

from pathlib import Path

EXTENSION = Path(__file__).resolve().parents[1]


def bundled_wheel() -> Path | None:
    """The wheel; None in a source tree, which has none."""
    wheels = sorted((EXTENSION / "sidecar").glob("*.whl"))
    return wheels[-1] if wheels else None


def install_command(interpreter: Path) -> str:
    """What to type to install the sidecar by hand."""
    source = bundled_wheel() or EXTENSION.parent
    return f'"{interpreter}" -m pip install "{source}"'
