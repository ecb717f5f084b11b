# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray casting of the four solids. A solid stands on y = 0 about the y axis, 1.3 to 1.7 units high."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

RADIUS = {"cube": 0.95, "sphere": 0.78, "cone": 0.85, "cylinder": 0.64}
HEIGHT = {"cube": 1.30, "sphere": 1.56, "cone": 1.70, "cylinder": 1.45}
_HALF = 0.65


def hit(shape: str, origin: Array, rays: Array) -> tuple[NDArray[np.bool_], Array, Array]:
    """Cast `rays` [n, 3] from `origin` [3]: which of them hit, the points [n, 3] and the normals [n, 3] there."""
    t, normal = _CASTERS[shape](origin, rays)
    found = np.isfinite(t) & (t > 0)
    points = origin + np.where(found, t, 0)[:, None] * rays
    return found, points, normal


def _roots(a: Array, b: Array, c: Array) -> Array:
    """The smaller root of a·t² + 2b·t + c, infinite where there is none."""
    inside = b * b - a * c
    return np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0))) / a, np.inf)


def _sphere(o: Array, d: Array) -> tuple[Array, Array]:
    r = RADIUS["sphere"]
    o = o - np.array([0, r, 0], np.float32)
    t = _roots((d * d).sum(1), d @ o, np.asarray(o @ o - r * r))
    return t, (o + np.where(np.isfinite(t), t, 0)[:, None] * d) / r


def _cube(o: Array, d: Array) -> tuple[Array, Array]:
    low = np.array([-_HALF, 0, -_HALF], np.float32)
    high = np.array([_HALF, 2 * _HALF, _HALF], np.float32)
    safe = np.where(np.abs(d) < 1e-6, 1e-6, d)
    first, second = (low - o) / safe, (high - o) / safe
    near, far = np.minimum(first, second), np.maximum(first, second)
    axis = near.argmax(1)
    t = near.max(1)
    t = np.where(t < far.min(1), t, np.inf)
    normal = np.zeros_like(d)
    rows = np.arange(len(d))
    normal[rows, axis] = -np.sign(safe[rows, axis])
    return t, normal


def _cap(o: Array, d: Array, height: float, radius: float) -> Array:
    t = (height - o[1]) / np.where(np.abs(d[:, 1]) < 1e-6, 1e-6, d[:, 1])
    across = o[[0, 2]] + t[:, None] * d[:, [0, 2]]
    return np.where((across**2).sum(1) < radius * radius, t, np.inf)


def _cylinder(o: Array, d: Array) -> tuple[Array, Array]:
    r, h = RADIUS["cylinder"], HEIGHT["cylinder"]
    flat = d[:, [0, 2]]
    side = _roots((flat**2).sum(1), flat @ o[[0, 2]], np.asarray(o[0] ** 2 + o[2] ** 2 - r * r))
    y = o[1] + np.where(np.isfinite(side), side, 0) * d[:, 1]
    side = np.where((y > 0) & (y < h), side, np.inf)
    top = _cap(o, d, h, r)
    t = np.minimum(side, top)
    points = o + np.where(np.isfinite(t), t, 0)[:, None] * d
    normal = points * np.array([1 / r, 0, 1 / r], np.float32)
    normal[top <= side] = (0, 1, 0)
    return t, normal


def _cone(o: Array, d: Array) -> tuple[Array, Array]:
    r, h = RADIUS["cone"], HEIGHT["cone"]
    k = (r / h) ** 2
    tip = o - np.array([0, h, 0], np.float32)
    weight = np.array([1, -k, 1], np.float32)
    a = (d * d * weight).sum(1)
    b = (d * tip * weight).sum(1)
    c = np.asarray((tip * tip * weight).sum())
    t = _roots(np.where(np.abs(a) < 1e-6, 1e-6, a), b, c)
    y = o[1] + np.where(np.isfinite(t), t, 0) * d[:, 1]
    t = np.where((y > 0) & (y < h), t, np.inf)
    points = tip + np.where(np.isfinite(t), t, 0)[:, None] * d
    normal = points * weight
    return t, normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)


_CASTERS = {"cube": _cube, "sphere": _sphere, "cone": _cone, "cylinder": _cylinder}
