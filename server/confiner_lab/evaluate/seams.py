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
    relative = np.sqrt((changes + LEAST) / (expected(changes, real, ~at) + LEAST))
    return float(relative[at].mean() / relative[~at].mean())


def hidden_seam_index(changes: Floats, real: Floats, span: int) -> float:
    """The seam index of one who is not told where the joints are, only that they come every `span` frames.

    The phase with the most change is looked for in one half of the clip and measured in the other, both ways, so that
    chance alone gives 1.
    """
    everywhere = np.ones(len(changes), bool)
    relative = np.sqrt((changes + LEAST) / (expected(changes, real, everywhere) + LEAST))
    phase = np.arange(1, len(changes) + 1) % span
    first = np.arange(len(changes)) < len(changes) // 2
    found = []
    for search, measure in ((first, ~first), (~first, first)):
        strength = [relative[search & (phase == each)].mean() for each in range(span)]
        at = phase == int(np.argmax(strength))
        found.append(relative[measure & at].mean() / relative[measure & ~at].mean())
    return float(np.mean(found))


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
