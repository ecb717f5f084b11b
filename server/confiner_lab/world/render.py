# SPDX-License-Identifier: GPL-3.0-or-later
"""From a clip to pixels: the landscape, the object's shadow, the object; or the same scene as a grey box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import landscape, solids
from .clip import COLOURS, Clip, Quirks, quirks
from .landscape import EYE, FOCAL, LIGHTS, Array
from .path import Place, View, place_at, view_at

SAMPLES = 2
_STUDIO = np.array([-0.35, 0.70, -0.62], np.float32)


def render_clip(clip: Clip, num_frames: int = 16) -> NDArray[np.uint8]:
    """Frames [num_frames, height, width, 3]."""
    return np.stack([render_frame(clip, index) for index in range(num_frames)])


def render_frame(clip: Clip, index: int) -> NDArray[np.uint8]:
    """One frame [height, width, 3]; any frame can be had without those before it."""
    q = quirks(clip.seed)
    place, view = _place_and_view(clip, index, q)
    u, v = landscape.plane(clip.width, clip.height, view.pan, view.zoom, q.horizon)
    if clip.look == "final":
        picture = landscape.background(clip.ground, clip.time, u, v, q)
        _cast_shadow(picture, clip, place, u, v, q)
    else:
        picture = _grey_box(v, len(u), q)
    _draw_object(picture, clip, place, u, v, q)
    if clip.look == "final":
        picture = picture * q.brightness
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def screen_box(clip: Clip, index: int) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the object in the picture, in half picture heights from its middle."""
    q = quirks(clip.seed)
    place, view = _place_and_view(clip, index, q)
    left, bottom, right, top = _plane_box(clip.shape, place, q)

    def across(x: float) -> float:
        return (x - view.pan) * view.zoom

    def upward(y: float) -> float:
        return (y - q.horizon) * view.zoom + q.horizon

    return across(left), upward(bottom), across(right), upward(top)


def _place_and_view(clip: Clip, index: int, q: Quirks) -> tuple[Place, View]:
    moment = clip.start + index
    place = place_at(clip.motion, moment, clip.aspect)
    shifted = Place(place.x + q.x * place.z / FOCAL, place.lift, place.z, place.squash)
    return shifted, view_at(clip.camera, moment)


def _plane_box(shape: str, place: Place, q: Quirks) -> tuple[float, float, float, float]:
    """A box on the unmoved picture plane that surely holds the object."""
    radius = solids.RADIUS[shape] * q.size
    near = max(place.z - radius, 0.5)
    left = min((place.x - radius) * FOCAL / z for z in (near, place.z))
    right = max((place.x + radius) * FOCAL / z for z in (near, place.z))
    bottom = q.horizon + (place.lift - EYE) * FOCAL / near
    height = place.lift + solids.HEIGHT[shape] * q.size * place.squash
    top = q.horizon + max((height - EYE) * FOCAL / z for z in (near, place.z + radius))
    return left, bottom, right, top


def _grey_box(v: Array, columns: int, q: Quirks) -> Array:
    sky = 0.24 + 0.10 * q.shade
    floor = 0.46 + 0.08 * q.shade
    pixel = v[0] - v[1]
    below = np.clip((q.horizon - v) / pixel + 0.5, 0, 1)
    tone = sky + below * (floor - sky)
    return np.repeat(tone.astype(np.float32)[:, None, None], columns, axis=1).repeat(3, axis=2)


def _cast_shadow(picture: Array, clip: Clip, place: Place, u: Array, v: Array, q: Quirks) -> None:
    light = LIGHTS[clip.time]
    rows = np.flatnonzero(v < q.horizon - 0.12)
    if not len(rows):
        return
    depth = (FOCAL * EYE / (q.horizon - v[rows]))[:, None]
    across = u[None, :] * depth / FOCAL
    radius = solids.RADIUS[clip.shape] * q.size
    reach = 0.35 * radius + 0.5 * place.lift
    x = place.x - light.direction[0] * reach
    z = place.z - light.direction[2] * reach * 0.5
    soft = radius * (1.0 + 0.35 * place.lift)
    distance = ((across - x) / (1.15 * soft)) ** 2 + ((depth - z) / (1.05 * soft)) ** 2
    strength = (0.34 if clip.time == "night" else 0.46) / (1 + 0.5 * place.lift)
    contact = 0.3 * np.exp(
        -3 * place.lift - 2 * (((across - place.x) / radius) ** 2 + ((depth - place.z) / radius) ** 2) ** 2
    )
    picture[rows] *= 1 - (strength * np.exp(-(distance**2)) + contact)[..., None]


def _draw_object(picture: Array, clip: Clip, place: Place, u: Array, v: Array, q: Quirks) -> None:
    left, bottom, right, top = _plane_box(clip.shape, place, q)
    columns = np.flatnonzero((u > left - 0.05) & (u < right + 0.05))
    rows = np.flatnonzero((v > bottom - 0.05) & (v < top + 0.05))
    if not len(columns) or not len(rows):
        return
    c, r = slice(columns[0], columns[-1] + 1), slice(rows[0], rows[-1] + 1)
    cover, colour = _cast(clip, place, _finer(u[c]), _finer(v[r]), q)
    shape = (r.stop - r.start, SAMPLES, c.stop - c.start, SAMPLES)
    alpha = cover.reshape(shape).mean((1, 3))[..., None]
    paint = (colour * cover[:, None]).reshape(*shape, 3).mean((1, 3))
    picture[r, c] = picture[r, c] * (1 - alpha) + paint


def _finer(samples: Array) -> Array:
    step = (samples[-1] - samples[0]) / max(len(samples) - 1, 1)
    offsets = (np.arange(SAMPLES, dtype=np.float32) + 0.5) / SAMPLES - 0.5
    return (samples[:, None] + step * offsets).ravel()


def _cast(clip: Clip, place: Place, u: Array, v: Array, q: Quirks) -> tuple[Array, Array]:
    """Coverage [n] and colour [n, 3] of the rays through the plane's columns `u` and rows `v`."""
    wide = q.size / np.sqrt(place.squash)
    scale = np.array([wide, q.size * place.squash, wide], np.float32)
    turn = np.array([[np.cos(q.yaw), 0, np.sin(q.yaw)], [0, 1, 0], [-np.sin(q.yaw), 0, np.cos(q.yaw)]], np.float32)
    rays = np.empty((len(v), len(u), 3), np.float32)
    rays[..., 0], rays[..., 1], rays[..., 2] = u[None, :] / FOCAL, (v[:, None] - q.horizon) / FOCAL, 1
    rays = rays.reshape(-1, 3) @ turn.T / scale
    origin = turn @ np.array([-place.x, EYE - place.lift, -place.z], np.float32) / scale
    found, points, normal = solids.hit(clip.shape, origin, rays)
    colour = np.zeros_like(rays)
    view = -rays[found] / np.linalg.norm(rays[found], axis=1, keepdims=True)
    colour[found] = _shade(clip, points[found], normal[found], view, turn, q)
    return found.astype(np.float32), colour


def _shade(clip: Clip, points: Array, normal: Array, view: Array, turn: Array, q: Quirks) -> Array:
    if clip.look != "final":
        albedo = np.asarray(COLOURS[clip.colour] if clip.look == "plain" else (0.8, 0.8, 0.8), np.float32)
        facing = np.clip(normal @ (turn @ _STUDIO), 0, 1)[:, None]
        return albedo * (0.45 + 0.5 * facing)
    light = LIGHTS[clip.time]
    albedo = np.clip(np.asarray(COLOURS[clip.colour]) * q.tint, 0, 1).astype(np.float32)
    towards = turn @ np.asarray(light.direction, np.float32)
    facing = np.clip(normal @ towards, -0.25, 1)[:, None] * 0.85 + 0.15
    ambient = 0.4 * np.asarray(light.ambient, np.float32) + 0.36
    bounce = (
        np.clip(0.5 - 0.5 * normal[:, 1:2], 0, 1) * 0.18 * landscape.lit(landscape.GROUNDS[clip.ground], light, 0.7)
    )
    shine = np.clip((normal * (towards + view)).sum(1) / np.linalg.norm(towards + view, axis=1), 0, 1)[:, None]
    colour = albedo * (
        ambient * (0.75 + 0.25 * normal[:, 1:2]) + 1.25 * np.clip(facing, 0, 1) * np.asarray(light.key, np.float32)
    )
    gloss = 0.5 * shine**24 * np.asarray(light.key, np.float32)
    return (colour + albedo * bounce + gloss).astype(np.float32)
