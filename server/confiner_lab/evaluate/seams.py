# SPDX-License-Identifier: GPL-3.0-or-later
"""Seams: whether a clip changes more where its pieces were joined than it does elsewhere.

The plain figure, change at the joints over the usual change elsewhere, says little by itself: the world's own motions
have their moments (a ball meets the ground at every eighth frame, a camera rests where it turns back), and joints fall
on some of them. So each frame's change is first divided by what a real clip with as much motion and as much flicker
changes at that very frame,

    expected² = motion · real² + flicker²        (motion, flicker ≥ 0, fitted where there is no joint)

and the figure is that of the divided changes: 1 is a clip whose joints cannot be told from the rest. Motion and
flicker are reported beside it, so that neither a still nor noise, which hide seams, can win.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FITTED = 8
"""Rounds of the fit, of which each weighs changes by their size in the one before."""
LEAST = 1e-9
"""A mean square change below what 8 bits can show."""


def joints(phases: Collection[int], span: int, frames: int) -> NDArray[np.bool_]:
    """Which changes of a clip of `frames` cross a joint [frames − 1]: those into frames of `phases` modulo `span`."""
    return np.isin(np.arange(1, frames) % span, list(phases))


def seam_index(changes: Floats, real: Floats, at: NDArray[np.bool_]) -> float:
    """Change at the joints that `at` marks over the change elsewhere, both relative to a real clip's.

    `changes` and `real` are mean squares [frames − 1] of the clip and of the real clip of the same frames. Both are
    means: flicker is uneven, so that the mean of any frames lies above the median of others without a seam.
    """
    relative = _relative(changes, real, ~at)
    return float(relative[at].mean() / relative[~at].mean())


def plain_seam_index(changes: Floats, real: Floats, at: NDArray[np.bool_]) -> float:
    """The plain figure: mean change at the joints over the median change elsewhere, over the same of the real clip.

    Where the world rests at a joint, it takes the clip's flicker for a seam.
    """
    ours, reals = (float(sizes[at].mean() / np.median(sizes[~at])) for sizes in _sizes(changes, real))
    return ours / reals


def phase_profile(changes: Floats, real: Floats, span: int) -> Floats:
    """By phase modulo `span`: change into its frames over that into all others, both relative to a real clip's."""
    relative = _relative(changes, real, np.ones(len(changes), bool))
    phase = np.arange(1, len(changes) + 1) % span
    return np.array([relative[phase == each].mean() / relative[phase != each].mean() for each in range(span)])


def hidden_seam_indices(profiles: Floats) -> Floats:
    """The seam indices of one who is not told where the joints are, only that all shots have them at the same phases.

    Out of the shots' phase profiles [shots, span]: for each shot its own entry at the phase of most change in all the
    others, so that chance alone gives 1. Other shots, not other parts of the same: what a world shows comes round, so
    that a shot's own moments stand out at the same phases throughout. What is common to the moments of all shots stays
    in, since prompts begin at the world's first. Not numbers for a single shot.
    """
    if len(profiles) < 2:
        return np.full(len(profiles), np.nan)
    others = profiles.sum(0) - profiles
    return profiles[np.arange(len(profiles)), others.argmax(1)]


def _relative(changes: Floats, real: Floats, where: NDArray[np.bool_]) -> Floats:
    """Each change as a multiple of what is expected of it."""
    found, likely = _sizes(changes, expected(changes, real, where))
    return found / likely


def _sizes(*squares: Floats) -> list[Floats]:
    return [np.sqrt(each + LEAST) for each in squares]


def expected(changes: Floats, real: Floats, where: NDArray[np.bool_]) -> Floats:
    """What a real clip with this clip's motion and flicker would change into each frame, fitted on some frames."""
    terms = np.stack([real, np.ones_like(real)], 1)
    weights = np.ones_like(changes)
    fitted = np.zeros(2)
    for _ in range(FITTED):
        fitted = _non_negative(terms[where] * weights[where, None], changes[where] * weights[where])
        weights = 1 / (terms @ fitted + LEAST)
    return terms @ fitted


def _non_negative(terms: Floats, values: Floats) -> Floats:
    """Least squares of two terms, neither of them below 0."""
    both = np.linalg.lstsq(terms, values, rcond=None)[0].astype(np.float64)
    if (both >= 0).all():
        return both
    norms = np.maximum(np.square(terms).sum(0), np.finfo(np.float64).tiny)
    alone = np.diag(np.maximum(terms.T @ values / norms, 0.0))
    return min(alone, key=lambda one: float(np.square(terms @ one - values).sum()))
