# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the one moving object of a clip with a fixed camera, without looking at its colour.

Only luminance is read. What differs from the background is the object; its place is the centre of that difference
within a window about where most of it lies. The background of a pixel is what it shows when it is most like the whole
of its row: a landscape's rows are much alike, and the object leaves most places sooner or later.
`tests/lab/test_tracker.py` checks it on clips whose paths are known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
GLIMPSES = 3
"""Frames in which a pixel must show the background."""
REACH = 0.3
"""Half the window's side, as a part of the picture's height: large objects fit in whole."""


def track(frames: NDArray[np.uint8]) -> Floats:
    """The object's place x, y in pixels [frames, 2] in frames [frames, height, width, 3] of a fixed camera."""
    luminance = frames @ LUMINANCE / 255
    apart = np.abs(luminance - _background(luminance))
    apart = _box(np.maximum(apart - 2 * np.median(apart), 0), 1)
    return np.stack([_centre(picture) for picture in apart])


def _background(luminance: Floats) -> Floats:
    """The picture without its object [height, width], from `luminance` [frames, height, width]."""
    rows = np.median(luminance, axis=(0, 2))[:, None]
    likest = np.argsort(np.abs(luminance - rows), axis=0)[:GLIMPSES]
    return np.asarray(np.take_along_axis(luminance, likest, axis=0).mean(0))


def path_correlation(tracked: Floats, truth: Floats, least: float = 1.5) -> float:
    """Pearson correlation of two paths [frames, 2] in pixels, the mean over the axes on which the true one varies.

    An axis counts where the truth's standard deviation is at least `least` pixels. A tracked axis that never moves
    correlates with nothing: 0.
    """
    axes = [axis for axis in range(2) if truth[:, axis].std() >= least]
    return float(np.mean([_correlation(tracked[:, axis], truth[:, axis]) for axis in axes]))


def _correlation(a: Floats, b: Floats) -> float:
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def _centre(apart: Floats) -> Floats:
    """The centre of mass of `apart` [height, width] in the window that holds the most of it."""
    height, width = apart.shape
    reach = max(1, round(REACH * height))
    y, x = np.unravel_index(np.argmax(_box(apart, reach)), apart.shape)
    for _ in range(4):
        rows = np.arange(max(0, round(y) - reach), min(height, round(y) + reach + 1))
        columns = np.arange(max(0, round(x) - reach), min(width, round(x) + reach + 1))
        window = apart[np.ix_(rows, columns)] + 1e-9
        x, y = (window.sum(0) @ columns) / window.sum(), (window.sum(1) @ rows) / window.sum()
    return np.array([x + 0.5, y + 0.5])


def _box(pictures: Floats, reach: int) -> Floats:
    """The mean over squares of side 2·reach + 1 about each pixel of [..., height, width]."""
    for axis in (-2, -1):
        size = pictures.shape[axis]
        sums = np.cumsum(pictures, axis=axis)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
        place = np.arange(size)
        upper, lower = np.minimum(place + reach + 1, size), np.maximum(place - reach, 0)
        pictures = (sums.take(upper, axis) - sums.take(lower, axis)) / (2 * reach + 1)
    return pictures
