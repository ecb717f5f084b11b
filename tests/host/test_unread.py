# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a prompt is not read, in real Blender's panel, in the sidecar's own words."""

import pytest

from .conftest import Script

pytestmark = pytest.mark.blender

SENTENCE = "The prompt is too long to be read whole: no expert reads “at noon”"


def test_what_is_not_read_stands_by_the_prompt_it_was_said_of(in_blender: Script) -> None:
    said = in_blender("unread.py")
    assert SENTENCE in said["while it is made"]
    assert SENTENCE in said["with its take"]
    for without in ("before", "with another prompt", "changed since"):
        assert "too long" not in said[without]
