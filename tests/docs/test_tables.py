# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that pages take from the code are whole, and every one is asked for somewhere."""

from __future__ import annotations

import re
import typing

import pytest

from confiner_blender.protocol import messages
from docs.from_code.modules import ROOT
from docs.from_code.tables import TABLES


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_as_many_cells_in_every_line_and_none_is_empty(name: str) -> None:
    lines = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in TABLES[name]().splitlines()]
    assert len(lines) > 3
    assert {len(cells) for cells in lines} == {len(lines[0])}
    assert all(cell.strip() for cells in lines for cell in cells), "a message without a docstring"


def test_every_message_and_every_record_in_one_is_told() -> None:
    told = "".join(TABLES[name]() for name in ("client-messages", "server-answers", "job-events", "message-parts"))
    every = {*typing.get_args(messages.ClientMessage), *typing.get_args(messages.ServerMessage)}
    for cls in {*every, messages.ShotRequest, messages.Stretch, messages.RuleInfo, messages.Problem}:
        assert told.count(f"| **{cls.__name__}** |") == 1


def test_every_table_is_on_a_page() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "pages").glob("*.md"))
    assert set(re.findall(r"^<!-- from code: ([\w-]+) -->$", pages, re.MULTILINE)) == {*TABLES, "import-plan"}
