# SPDX-License-Identifier: GPL-3.0-or-later
"""How sure a figure is: 95 % intervals of rates and of medians."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z = 1.959964
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval, and how many clips it was counted on."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def to_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Figures by name, and beside them their `intervals` [low, high] by the same names. What is no number is null."""
    values: dict[str, Any] = {name: _rounded(each.value) for name, each in estimates.items()}
    return {**values, "intervals": {name: [_rounded(e.low), _rounded(e.high)] for name, e in estimates.items()}}


def _rounded(value: float) -> float | None:
    return round(value, 4) if isfinite(value) else None


def rate(outcomes: Sequence[bool]) -> Estimate:
    """The part of `outcomes` that is true, with Wilson's interval."""
    count, part = len(outcomes), sum(outcomes) / len(outcomes)
    middle = (part + Z * Z / (2 * count)) / (1 + Z * Z / count)
    reach = Z * sqrt(part * (1 - part) / count + Z * Z / (4 * count * count)) / (1 + Z * Z / count)
    # Rounding alone can put a bound on the wrong side of 0 or 1.
    return Estimate(part, max(0.0, min(part, middle - reach)), min(1.0, max(part, middle + reach)), count)


def median(values: Sequence[float], seed: int) -> Estimate:
    """The median of `values`, with the percentile bootstrap's interval."""
    return _bootstrap(values, seed, np.median)


def mean(values: Sequence[float], seed: int) -> Estimate:
    """The mean of `values`, with the percentile bootstrap's interval."""
    return _bootstrap(values, seed, np.mean)


def ratio(values: Sequence[float], others: Sequence[float], seed: int) -> Estimate:
    """The mean of `values` over the mean of `others`, with an interval by resampling their pairs.

    Single `others` may be 0; without any that is more, the figure is not a number.
    """
    pairs = np.stack([np.asarray(values, np.float64), np.asarray(others, np.float64)], 1)
    drawn = np.random.default_rng(seed).integers(len(pairs), size=(RESAMPLES, len(pairs)))
    sums = pairs[drawn].sum(1)
    sums = sums[sums[:, 1] > 0]
    if not len(sums):
        return Estimate(nan, nan, nan, len(pairs))
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    whole = pairs.sum(0)
    return Estimate(float(whole[0] / whole[1]), float(low), float(high), len(pairs))


def _bootstrap(values: Sequence[float], seed: int, statistic: Callable[..., NDArray[np.float64]]) -> Estimate:
    known = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(len(known), size=(RESAMPLES, len(known)))
    low, high = np.quantile(statistic(known[drawn], axis=1), [0.025, 0.975])
    return Estimate(float(statistic(known)), float(low), float(high), len(known))
