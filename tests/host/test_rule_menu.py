# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that the panel offers are the library's, and a file that names one which is gone says so."""

from __future__ import annotations

import pytest
from confiner.method.rules import RULES

from .conftest import Script

pytestmark = pytest.mark.blender


def test_the_menu_is_the_librarys_and_a_choice_outlives_a_longer_one(in_blender: Script) -> None:
    said = in_blender("rule_menu.py")
    assert said["shipped"] == [[rule.name, rule.label] for rule in RULES.own]
    assert said["first"] == "coordinated"
    assert said["kept"] == "reuse"
    assert said["gone"] == ""
    assert "refinement rule is not there" in said["refused"]
