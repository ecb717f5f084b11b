# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose ids are copies. Copying a scene in Blender copies every id in it; two storyboards must not share one.

A storyboard notes the name of the scene that owns it. Of several with one id, the owner is the scene that still bears
the noted name; where a renamed scene was never seen under its new name, the first one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bearer:
    """A scene with a storyboard: its name, the storyboard's id, and the name noted as owner."""

    scene: str
    storyboard: str
    owner: str


def copies(bearers: Sequence[Bearer]) -> list[str]:
    """The scenes whose storyboard is a copy and needs new ids."""
    found = []
    for storyboard in dict.fromkeys(bearer.storyboard for bearer in bearers):
        same = [bearer for bearer in bearers if bearer.storyboard == storyboard]
        original = next((bearer for bearer in same if bearer.scene == bearer.owner), same[0])
        found += [bearer.scene for bearer in same if bearer is not original]
    return found
