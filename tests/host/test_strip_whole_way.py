# SPDX-License-Identifier: GPL-3.0-or-later
"""From a strip through the operator and the sidecar to a clip that moves as the strip does."""

from typing import Any

import pytest

pytestmark = pytest.mark.blender


def test_what_moves_in_the_strip_moves_in_the_clip(in_blender: Any, sidecar_python: Any) -> None:
    said = in_blender("strip_whole_way.py", sidecar=str(sidecar_python))
    assert said["state"] == "FINISHED", said["problem"]
    assert said["structure"] == said["source"], "frame by frame"
    assert said["source"][-1] - said["source"][0] > 40
    assert said["clip"][-1] - said["clip"][0] > 25, said["clip"]
