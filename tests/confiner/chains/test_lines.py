# SPDX-License-Identifier: GPL-3.0-or-later
"""A value's line is found by its path."""

import pytest
from confiner.chains.toml_lines import line_of

TEXT = """\
# my chains
[plain]
title = "one"   # [not.a.table] = 3
sizes = [
    [64, 64],
]

["mine/with a slash".control]  # quoted
kind = "animatediff"
schedule = { beta_start = 0.1 }
schedule2.beta_end = 0.2

["mine/with a slash".control.'deep est']
frames = 16
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("plain",), 2),
        (("plain", "title"), 3),
        (("plain", "sizes"), 4),
        (("mine/with a slash", "control"), 8),
        (("mine/with a slash", "control", "kind"), 9),
        (("mine/with a slash", "control", "schedule2", "beta_end"), 11),
        (("mine/with a slash", "control", "deep est", "frames"), 14),
    ],
)
def test_a_key_or_table_has_its_line(path: tuple[str, ...], line: int) -> None:
    assert line_of(TEXT, path) == line


def test_what_is_missing_has_the_line_of_the_table_around_it() -> None:
    assert line_of(TEXT, ("plain", "vae")) == 2
    assert line_of(TEXT, ("mine/with a slash", "control", "schedule", "beta_start")) == 10


def test_what_is_nowhere_has_no_line() -> None:
    assert line_of(TEXT, ("elsewhere", "title")) is None
