# SPDX-License-Identifier: GPL-3.0-or-later
"""The refinement rules that a shot's menu offers: those that the extension was built with, then those a sidecar lists.

A .blend keeps the number of the chosen rule, so each rule has one of its own that never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy

from ...protocol import codec
from ...protocol.messages import Chains, RuleInfo

SHIPPED = Path(__file__).with_name("rules.json")
"""Written when the extension is built: what a sidecar of the same version would list."""

_items: list[tuple[str, str, str, int]] = []
"""Kept here for as long as it is shown: Blender does not hold on to the texts of a menu made by a function."""


def items(shot: object, context: bpy.types.Context | None) -> list[tuple[str, str, str, int]]:
    """The menu, as Blender's EnumProperty asks for it."""
    if not _items:
        offer(shipped())
    return _items


def offer(rules: Sequence[RuleInfo]) -> None:
    """From now on the menu has these rules; of a sidecar that lists none, nothing is taken over."""
    if rules:
        _items[:] = [(rule.name, rule.label, rule.description, rule.number) for rule in rules]


def shipped() -> list[RuleInfo]:
    """The rules of the library that this extension was built with."""
    listed = codec.decode(SHIPPED.read_text(encoding="utf-8"))
    assert isinstance(listed, Chains)
    return listed.rules
