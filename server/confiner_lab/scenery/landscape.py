# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything behind and under the object: sky, sun and moon, clouds, skylines, textured ground."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clip import Quirks

Array = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]

FOCAL = 2.0
EYE = 1.6
SLAB = 2.0
SEAM = 0.03


@dataclass(frozen=True)
class Light:
    """A time of day: the sky's gradient, the key light and what the sky adds everywhere."""

    zenith: Colour
    horizon: Colour
    key: Colour
    ambient: Colour
    direction: Colour
    disc: Colour
    disc_at: tuple[float, float]
    disc_radius: float


LIGHTS = {
    "noon": Light(
        zenith=(0.30, 0.58, 0.93),
        horizon=(0.76, 0.89, 0.98),
        key=(0.62, 0.60, 0.55),
        ambient=(0.47, 0.50, 0.54),
        direction=(-0.45, 0.75, -0.48),
        disc=(1.0, 0.97, 0.80),
        disc_at=(-0.62, 0.80),
        disc_radius=0.10,
    ),
    "dusk": Light(
        zenith=(0.32, 0.22, 0.46),
        horizon=(1.00, 0.62, 0.34),
        key=(0.66, 0.47, 0.34),
        ambient=(0.43, 0.35, 0.38),
        direction=(0.72, 0.42, -0.55),
        disc=(1.0, 0.86, 0.48),
        disc_at=(0.50, 0.46),
        disc_radius=0.17,
    ),
    "night": Light(
        zenith=(0.03, 0.05, 0.16),
        horizon=(0.13, 0.19, 0.38),
        key=(0.30, 0.34, 0.44),
        ambient=(0.24, 0.26, 0.36),
        direction=(-0.55, 0.65, -0.52),
        disc=(0.95, 0.95, 0.86),
        disc_at=(-0.45, 0.72),
        disc_radius=0.13,
    ),
}
GROUNDS: dict[str, Colour] = {
    "grass": (0.40, 0.66, 0.22),
    "sand": (0.93, 0.78, 0.50),
    "snow": (0.96, 0.98, 1.00),
    "concrete": (0.58, 0.58, 0.60),
}
RIDGES: dict[str, tuple[Colour, Colour]] = {
    "grass": ((0.36, 0.52, 0.40), (0.24, 0.46, 0.20)),
    "sand": ((0.80, 0.62, 0.46), (0.86, 0.68, 0.38)),
    "snow": ((0.60, 0.70, 0.84), (0.20, 0.36, 0.36)),
    "concrete": ((0.54, 0.57, 0.66), (0.38, 0.39, 0.46)),
}
CLOUDS = (
    (0.45, 0.78, 0.30, 0.07),
    (0.66, 0.71, 0.24, 0.06),
    (-0.15, 0.62, 0.22, 0.05),
    (-1.2, 0.66, 0.3, 0.07),
    (1.35, 0.6, 0.3, 0.06),
)
STARS = (
    (0.1, 0.86),
    (0.42, 0.62),
    (0.78, 0.84),
    (-0.85, 0.48),
    (0.62, 0.92),
    (-0.08, 0.55),
    (0.9, 0.5),
    (1.3, 0.8),
    (-1.3, 0.75),
    (1.6, 0.6),
)


def lit(albedo: Colour, light: Light, towards: float) -> Array:
    """The colour of a surface that faces the key light by `towards` (a cosine)."""
    return np.asarray(albedo, np.float32) * (np.asarray(light.ambient) + towards * np.asarray(light.key)).astype(
        np.float32
    )


def ridges(ground: str, across: Array) -> tuple[Array, Array]:
    """Heights of the far and the near skyline over the horizon, at the places `across` [n] of the picture plane."""
    u = across
    if ground == "grass":
        far = 0.13 + 0.07 * np.sin(2.3 * u + 0.4) + 0.03 * np.sin(5.1 * u + 1)
        trees = _bumps(u, (-0.72, -0.56, 0.62, 1.2, -1.5), 0.10, 0.17)
        near = np.maximum(0.03 + 0.03 * np.sin(3.1 * u + 2), trees)
    elif ground == "sand":
        far = _peaks(u, ((-0.35, 0.34, 0.42), (0.18, 0.20, 0.26), (1.35, 0.3, 0.4)))
        near = 0.04 + 0.05 * np.sin(2.6 * u - 1.4)
    elif ground == "snow":
        far = np.maximum(
            _peaks(u, ((-0.55, 0.42, 0.5), (0.1, 0.30, 0.4), (0.68, 0.48, 0.5), (-1.4, 0.4, 0.5), (1.5, 0.35, 0.45))),
            0.06,
        )
        near = _peaks(
            u,
            (
                (-0.9, 0.22, 0.09),
                (-0.75, 0.17, 0.08),
                (0.36, 0.20, 0.09),
                (0.9, 0.18, 0.09),
                (1.3, 0.2, 0.09),
                (-1.5, 0.2, 0.09),
            ),
        )
    else:
        far = _blocks(
            u,
            (
                (-0.8, 0.16, 0.34),
                (-0.42, 0.14, 0.48),
                (0.05, 0.18, 0.28),
                (0.55, 0.12, 0.52),
                (1.3, 0.2, 0.4),
                (-1.4, 0.2, 0.3),
            ),
        )
        near = _blocks(
            u, ((-0.62, 0.12, 0.22), (0.30, 0.16, 0.18), (0.85, 0.15, 0.27), (-1.2, 0.15, 0.2), (1.6, 0.15, 0.2))
        )
    return np.maximum(far, 0).astype(np.float32), np.maximum(near, 0).astype(np.float32)


def _bumps(u: Array, centres: tuple[float, ...], radius: float, height: float) -> Array:
    return np.max([height * np.sqrt(np.maximum(0, 1 - ((u - c) / radius) ** 2)) for c in centres], axis=0)


def _peaks(u: Array, peaks: tuple[tuple[float, float, float], ...]) -> Array:
    return np.max([h * np.maximum(0, 1 - np.abs(u - c) / w) for c, h, w in peaks], axis=0)


def _blocks(u: Array, blocks: tuple[tuple[float, float, float], ...]) -> Array:
    return np.max([h * (np.abs(u - c) < w) for c, w, h in blocks], axis=0)


@lru_cache(maxsize=64)
def _grid(width: int, height: int) -> tuple[Array, Array]:
    """Pixel centres in half picture heights: columns [width] and rows [height], rows downwards."""
    columns = (np.arange(width, dtype=np.float32) + 0.5) * 2 / height - width / height
    rows = 1 - (np.arange(height, dtype=np.float32) + 0.5) * 2 / height
    return columns, rows


def plane(width: int, height: int, pan: float, zoom: float, horizon: float) -> tuple[Array, Array]:
    """The picture plane's columns [width] and rows [height] as an unmoved camera would see them."""
    columns, rows = _grid(width, height)
    return columns / zoom + pan, (rows - horizon) / zoom + horizon


def background(ground: str, time: str, u: Array, v: Array, q: Quirks) -> Array:
    """The picture without its object [rows, columns, 3], for plane columns `u` and rows `v`."""
    light = LIGHTS[time]
    pixel = np.float32(v[0] - v[1])
    picture = _sky(time, light, u, v, q)
    step = np.float32(u[1] - u[0])
    fine = (u[:, None] + step * np.array([-0.33, 0, 0.33], np.float32)).ravel() - q.skyline
    haze = np.asarray(light.horizon, np.float32)
    for ridge, albedo, mist in zip(ridges(ground, fine), RIDGES[ground], (0.45, 0.12), strict=True):
        cover = np.clip((q.horizon + ridge[None, :] - v[:, None]) / pixel + 0.5, 0, 1)
        cover = ((cover[:, ::3] + cover[:, 1::3] + cover[:, 2::3]) / 3)[..., None]
        colour = lit(albedo, light, 0.6) * (1 - mist) + haze * mist
        picture += cover * (_snowcap(colour, ground, mist, v, q, light) - picture)
    below = np.clip((q.horizon - v) / pixel + 0.5, 0, 1)[:, None, None]
    rows = np.flatnonzero(below[:, 0, 0])
    if len(rows):
        first = rows[0]
        picture[first:] += below[first:] * (_floor(ground, light, u, v[first:], q) - picture[first:])
    return picture


def _snowcap(colour: Array, ground: str, mist: float, v: Array, q: Quirks, light: Light) -> Array:
    if ground != "snow" or mist < 0.3:
        return colour
    cap = np.clip((v - q.horizon - 0.20) / 0.06, 0, 1)[:, None, None]
    return colour + cap * (lit((1.0, 1.0, 1.0), light, 0.7) - colour)


def _sky(time: str, light: Light, u: Array, v: Array, q: Quirks) -> Array:
    up = np.clip((v - q.horizon) / (1 - q.horizon), 0, 1)[:, None, None] ** 0.8
    sky = np.asarray(light.horizon) + up * (np.asarray(light.zenith) - np.asarray(light.horizon))
    picture = np.repeat(sky.astype(np.float32), len(u), axis=1)
    x, y = u - q.skyline, v - (q.horizon - 0.22)
    centre, radius = light.disc_at, light.disc_radius
    distance = np.sqrt((x[None, :] - centre[0]) ** 2 + (y[:, None] - centre[1]) ** 2)
    pixel = v[0] - v[1]
    glow = 0.35 * np.exp(-distance / 0.22)[..., None]
    disc = np.clip((radius - distance) / pixel + 0.5, 0, 1)[..., None]
    picture += np.maximum(glow, disc) * (np.asarray(light.disc, np.float32) - picture)
    if time == "noon":
        thick = np.zeros((len(v), len(u)), np.float32)
        for (cx, cy, w, h), shift in zip(CLOUDS, (*q.clouds, *q.clouds, 0.0), strict=True):
            thick += np.exp(-((((x - cx - 0.3 * shift) / w) ** 4)[None, :] + (((y - cy) / h) ** 2)[:, None]))
        picture += 0.85 * np.clip(thick, 0, 1)[..., None] * (1 - picture)
    if time == "night":
        for sx, sy in STARS:
            spot = np.exp(-(((x - sx) ** 2)[None, :] + ((y - sy) ** 2)[:, None]) / 0.0009)
            picture += 0.8 * spot[..., None]
    return picture


def _floor(ground: str, light: Light, u: Array, v: Array, q: Quirks) -> Array:
    """The ground's colour [rows, columns, 3]; its texture lies in the world and fades into the distance."""
    depth = (FOCAL * EYE / np.maximum(q.horizon - v, 0.02))[:, None]
    across = (u - q.skyline)[None, :] * depth / FOCAL
    fade = np.clip(2.6 / depth, 0, 1) ** 1.5
    tone = 1 + fade * _texture(ground, across, depth)
    far = np.clip(1 - 3.2 / depth, 0, 1)[..., None] * 0.35
    base = lit(GROUNDS[ground], light, 0.75)
    return (base * tone[..., None]) * (1 - far) + far * np.asarray(light.horizon, np.float32)


def _texture(ground: str, x: Array, z: Array) -> Array:
    if ground == "grass":
        return 0.10 * np.sin(4.1 * x + 1.7 * np.sin(1.3 * z)) * np.sin(2.3 * z + 0.8 * x)
    if ground == "sand":
        return 0.09 * np.sin(6.0 * z + 1.4 * np.sin(1.1 * x)) + 0 * x
    if ground == "snow":
        return 0.05 * np.sin(1.9 * x + 0.7 * z) * np.sin(1.3 * z - 0.6 * x) - 0.02
    across = np.abs(np.mod(x / SLAB, 1) - 0.5)
    along = np.abs(np.mod(z / SLAB, 1) - 0.5)
    seams = np.maximum(_seam(across, x), _seam(along, z))
    return -0.42 * seams


def _seam(phase: Array, place: Array) -> Array:
    """1 on a line between two slabs, with an edge as wide as a pixel."""
    pixel = np.abs(np.gradient(place, axis=0 if place.shape[1] == 1 else 1)) / SLAB
    return np.clip((phase - 0.5 + SEAM) / np.maximum(pixel, 1e-3) + 0.5, 0, 1) * np.minimum(
        1, 2 * SEAM / np.maximum(pixel, 1e-3)
    )
