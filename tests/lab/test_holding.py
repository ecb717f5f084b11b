# SPDX-License-Identifier: GPL-3.0-or-later
"""A long shot holds no more than a short one: what is alive is counted, tensor by tensor and frame by frame."""

from __future__ import annotations

import pytest
from confiner import Chain
from confiner_lab.bench.long import hold, linear_chain

WINDOW = 16 * 4 * 64 * 64 * 4
"""Bytes of one window's latents."""


@pytest.fixture(scope="module")
def chain() -> Chain:
    return linear_chain()


def test_a_shot_of_6000_frames_holds_what_one_of_600_does(chain: Chain) -> None:
    few = {"rule": "temporal", "control_steps": 1, "refine_steps": 2}
    shorter, longer = hold(chain, 600, **few), hold(chain, 6000, **few)  # type: ignore[arg-type]
    assert abs(longer.tensors - shorter.tensors) <= WINDOW
    assert abs(longer.with_frames - shorter.with_frames) <= WINDOW
    assert longer.checkpoint == shorter.checkpoint


def test_what_is_held_is_a_band_of_windows(chain: Chain) -> None:
    """Latents and noise at each of six levels, a few windows long; the whole shot would be ten times that."""
    held = hold(chain, 192)
    assert 4 * WINDOW < held.checkpoint < 24 * WINDOW
    assert held.checkpoint < held.tensors < 2 * held.checkpoint
