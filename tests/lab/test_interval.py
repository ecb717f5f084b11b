# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals agree with published values and cover what they should."""

import numpy as np
import pytest
from confiner_lab.evaluate.interval import mean, median, rate, ratio, to_json


def test_wilson_interval_of_a_known_case() -> None:
    # 81 of 263: the worked example in Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    found = rate([True] * 81 + [False] * 182)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_interval_at_the_ends_stays_within_bounds() -> None:
    assert rate([True] * 10).high == 1
    assert rate([True] * 10).low == pytest.approx(0.7225, abs=5e-5)
    assert rate([False] * 10).low == 0


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = [bool(found.low <= 0 <= found.high) for found in (mean(rng.normal(size=40), i) for i in range(200))]
    assert 0.90 <= np.mean(covered) <= 0.985


def test_median_is_the_same_for_the_same_seed() -> None:
    values = list(np.random.default_rng(1).normal(size=25))
    assert median(values, 5) == median(values, 5)
    assert median(values, 5).value == float(np.median(values))


def test_a_ratio_is_of_the_sums_so_that_pairs_without_a_divisor_count_too() -> None:
    found = ratio([1.0, 3.0, 2.0] * 5, [0.0, 2.0, 1.0] * 5, 0)
    assert found.value == 2.0
    assert found.low <= 2.0 <= found.high
    assert ratio([0.2, 0.4, 0.6], [0.1, 0.2, 0.3], 0).high == pytest.approx(2.0)
    assert to_json({"flicker": ratio([1.0], [0.0], 0)}) == {"flicker": None, "intervals": {"flicker": [None, None]}}
