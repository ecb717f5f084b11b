# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyed noise: fixed for ever, and a function of its name alone."""

from __future__ import annotations

import hashlib

import torch
from confiner.method.noise import NoiseSource


def _hash(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()[:16]


def test_noise_is_what_it_always_was() -> None:
    source = NoiseSource(7)
    assert _hash(source.frame((4, 16, 16), "structure", 0)) == "4b4fa21938fb15a9"
    assert _hash(source.frame((4, 16, 16), "structure", 1)) == "b8cdbf16c96d30c0"
    assert _hash(source.frames((4, 8, 8), range(3, 6), "hinge", "temporal", 2)) == "bf42821b51ec2084"
    assert _hash(NoiseSource(2**62 + 7).frame((4, 16, 16), "structure", 0)) == "9530be902490a413"
    assert source.order(8, "control", "order", 1) == [3, 6, 4, 1, 5, 2, 0, 7]


def test_a_frames_noise_does_not_depend_on_its_neighbours() -> None:
    source = NoiseSource(1)
    together = source.frames((4, 8, 8), range(10), "hinge", "spatial", 0)
    alone = source.frames((4, 8, 8), [6], "hinge", "spatial", 0)
    assert torch.equal(together[:, :, 6:7], alone)


def test_every_part_of_the_name_counts() -> None:
    names = [("a", 1, 2), ("a", 12), ("a", 1, 3), ("a", 2, 1), ("b", 1, 2), ("a1", 2)]
    draws = [NoiseSource(seed).frame((1, 4, 4), *name) for seed in (0, 1, 2**32) for name in names]
    assert len({_hash(draw) for draw in draws}) == len(draws)


def test_noise_is_standard_normal_and_float32() -> None:
    draw = NoiseSource(5).frames((4, 32, 32), range(64), "structure")
    assert draw.dtype == torch.float32
    assert abs(float(draw.mean())) < 0.01
    assert abs(float(draw.std()) - 1) < 0.01
    lag = (draw[:, :, 1:] * draw[:, :, :-1]).mean()
    assert abs(float(lag)) < 0.01
