# SPDX-License-Identifier: GPL-3.0-or-later
"""The import plan shows every room and every arrow that does not follow from others, and nothing on top of another."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree

import pytest

from docs.from_code import import_plan
from docs.from_code.layers import laid_out
from docs.from_code.modules import ROOT, imports_of

DRAWN = re.findall(
    r"^<!-- from code: import-plan ?([\w.]*) -->$",
    (ROOT / "docs" / "pages" / "architecture.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_the_page_has_the_overview_and_the_rooms_of_three_packages() -> None:
    assert DRAWN == ["", "confiner", "confiner_server", "confiner_blender.host"]


@pytest.mark.parametrize("package", DRAWN)
def test_a_drawing_has_a_box_for_each_room_and_none_covers_another(package: str) -> None:
    plan = import_plan.rooms_of(package) if package else import_plan.overview()
    picture = ElementTree.fromstring(import_plan.svg(plan))
    boxes = [
        tuple(float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        for box in picture.iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert len(boxes) == len(plan.rooms) > 3
    assert all(plan.rooms.values()), "a room that says nothing of itself"
    for index, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:index]:
            beside = x + width <= other_x or other_x + other_width <= x
            below = y + height <= other_y or other_y + other_height <= y
            assert beside or below


def test_arrows_are_those_of_the_imports() -> None:
    arrows = import_plan.overview().arrows
    assert ("confiner_server", "confiner_blender.protocol") in arrows
    assert ("confiner_blender.host", "confiner_blender.client") in arrows
    assert not any(a == "confiner_blender.protocol" for a, _ in arrows)


def test_arrows_go_down_and_those_that_follow_are_left_out() -> None:
    layout = laid_out("abcd", [("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")])
    assert {(way[0], way[-1]) for way in layout.arrows} == {("a", "b"), ("b", "c"), ("a", "d")}
    rows = {name: row for row, layer in enumerate(layout.layers) for name in layer}
    assert all(rows[a] + 1 == rows[b] for way in layout.arrows for a, b in itertools.pairwise(way))


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match=r"circle among .'a', 'b'"):
        laid_out("abc", [("a", "b"), ("b", "a"), ("b", "c")])


def test_a_file_is_read_and_not_run(tmp_path) -> None:
    source = tmp_path / "loud.py"
    source.write_text("import a\nraise SystemExit\n")
    assert [found.target for found in imports_of("loud", source)] == ["a"]
