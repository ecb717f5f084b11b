# SPDX-License-Identifier: GPL-3.0-or-later
"""From a clip to pixels: the landscape, the shadows, the things; or the same scene as a grey box or as depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import landscape, solids
from .clip import COLOURS, SIZES, Clip, Quirks, Spot, Thing, quirks
from .landscape import EYE, FOCAL, LIGHTS, Array
from .path import Place, View, place_at, view_at

SAMPLES = 2
GAP = 1.9
PAIR_SCALE = 0.82
DEPTH_NEAR = 2.4
_STUDIO = np.array([-0.35, 0.70, -0.62], np.float32)


@dataclass(frozen=True)
class Standing:
    """A thing as it stands in one frame."""

    thing: Thing
    place: Place
    scale: float


@dataclass(frozen=True)
class Box:
    """Left, bottom, right, top in half picture heights from the picture's middle."""

    left: float
    bottom: float
    right: float
    top: float


def render_clip(clip: Clip, num_frames: int = 16) -> NDArray[np.uint8]:
    """Frames [num_frames, height, width, 3]."""
    return np.stack([render_frame(clip, index) for index in range(num_frames)])


def render_frame(clip: Clip, index: int) -> NDArray[np.uint8]:
    """One frame [height, width, 3]; any frame can be had without those before it."""
    return to_bytes(paint(clip, things_at(clip, index), view_at(clip.camera, clip.start + index)))


def to_bytes(picture: Array) -> NDArray[np.uint8]:
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def paint(clip: Clip, things: list[Standing], view: View) -> Array:
    """The picture [height, width, 3] of `things` in the clip's landscape, seen as `view`."""
    q = quirks(clip.seed)
    u, v = landscape.plane(clip.width, clip.height, view.pan, view.zoom, q.horizon)
    if clip.look == "final":
        picture = landscape.background(clip.ground, clip.time, u, v, q)
        for standing in things:
            _cast_shadow(picture, clip.time, standing, u, v, q)
    else:
        picture = _blank(clip.look, u, v, q)
    for standing in sorted(things, key=lambda s: -s.place.z):
        _draw(picture, clip, standing, u, v, q)
    return picture * q.brightness if clip.look == "final" else picture


def things_at(clip: Clip, index: int) -> list[Standing]:
    """The things as they stand in a frame, in the order in which the clip names them."""
    q = quirks(clip.seed)
    if clip.spots:
        return [
            Standing(thing, _at_spot(spot), spot.scale) for thing, spot in zip(clip.things, clip.spots, strict=True)
        ]
    place = place_at(clip.motion, clip.start + index, clip.aspect)
    pair = len(clip.things) == 2
    found = []
    for number, thing in enumerate(clip.things):
        scale = SIZES[thing.size] * q.size * (PAIR_SCALE if pair else 1)
        aside = (number - 0.5) * GAP * min(scale, 1.0) if pair else 0.0
        x = place.x + aside + q.x * place.z / FOCAL
        found.append(Standing(thing, Place(x, place.lift, place.z, place.squash), scale))
    return found


def boxes(clip: Clip, index: int) -> list[Box]:
    """Where each thing is in the picture."""
    view = view_at(clip.camera, clip.start + index)
    horizon = quirks(clip.seed).horizon
    found = []
    for standing in things_at(clip, index):
        box = _plane_box(standing, horizon)
        found.append(
            Box(
                (box.left - view.pan) * view.zoom,
                (box.bottom - horizon) * view.zoom + horizon,
                (box.right - view.pan) * view.zoom,
                (box.top - horizon) * view.zoom + horizon,
            )
        )
    return found


def cover(clip: Clip, index: int) -> Array:
    """How much of each pixel each thing fills, behind nothing [things, height, width]."""
    q = quirks(clip.seed)
    view = view_at(clip.camera, clip.start + index)
    u, v = landscape.plane(clip.width, clip.height, view.pan, view.zoom, q.horizon)
    standing = things_at(clip, index)
    masks = np.zeros((len(standing), clip.height, clip.width), np.float32)
    for mask, one in zip(masks, standing, strict=True):
        if (window := _window(one, u, v, q)) is not None:
            mask[window] = _cast(clip, one, u[window[1]], v[window[0]], q)[0]
    return masks


def _at_spot(spot: Spot) -> Place:
    return Place(spot.across * spot.away / FOCAL, spot.lift, spot.away)


def _plane_box(standing: Standing, horizon: float) -> Box:
    """A box on the unmoved picture plane that surely holds the thing."""
    place, scale = standing.place, standing.scale
    radius = solids.RADIUS[standing.thing.shape] * scale / np.sqrt(place.squash)
    near, far = max(place.z - radius, 0.5), place.z + radius
    height = place.lift + solids.HEIGHT[standing.thing.shape] * scale * place.squash
    return Box(
        left=min((place.x - radius) * FOCAL / z for z in (near, place.z)),
        bottom=horizon + min((place.lift - EYE) * FOCAL / z for z in (near, far)),
        right=max((place.x + radius) * FOCAL / z for z in (near, place.z)),
        top=horizon + max((height - EYE) * FOCAL / z for z in (near, far)),
    )


def _blank(look: str, u: Array, v: Array, q: Quirks) -> Array:
    pixel = v[0] - v[1]
    below = np.clip((q.horizon - v) / pixel + 0.5, 0, 1)
    if look == "depth":
        tone = DEPTH_NEAR * np.maximum(q.horizon - v, 0) / (FOCAL * EYE)
    else:
        sky, floor = 0.24 + 0.10 * q.shade, 0.46 + 0.08 * q.shade
        tone = sky + below * (floor - sky)
    return np.repeat(tone.astype(np.float32)[:, None, None], len(u), axis=1).repeat(3, axis=2)


def _cast_shadow(picture: Array, time: str, standing: Standing, u: Array, v: Array, q: Quirks) -> None:
    light, place = LIGHTS[time], standing.place
    rows = np.flatnonzero(v < q.horizon - 0.12)
    if not len(rows):
        return
    depth = (FOCAL * EYE / (q.horizon - v[rows]))[:, None]
    across = u[None, :] * depth / FOCAL
    radius = solids.RADIUS[standing.thing.shape] * standing.scale
    reach = 0.35 * radius + 0.5 * place.lift
    x = place.x - light.direction[0] * reach
    z = place.z - light.direction[2] * reach * 0.5
    soft = radius * (1.0 + 0.35 * place.lift)
    distance = ((across - x) / (1.15 * soft)) ** 2 + ((depth - z) / (1.05 * soft)) ** 2
    strength = (0.34 if time == "night" else 0.46) / (1 + 0.5 * place.lift)
    contact = 0.3 * np.exp(
        -3 * place.lift - 2 * (((across - place.x) / radius) ** 2 + ((depth - place.z) / radius) ** 2) ** 2
    )
    picture[rows] *= 1 - (strength * np.exp(-(distance**2)) + contact)[..., None]


def _window(standing: Standing, u: Array, v: Array, q: Quirks) -> tuple[slice, slice] | None:
    """The rows and columns that can show the thing, if any."""
    box = _plane_box(standing, q.horizon)
    columns = np.flatnonzero((u > box.left - 0.05) & (u < box.right + 0.05))
    rows = np.flatnonzero((v > box.bottom - 0.05) & (v < box.top + 0.05))
    if len(columns) < 2 or len(rows) < 2:
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _draw(picture: Array, clip: Clip, standing: Standing, u: Array, v: Array, q: Quirks) -> None:
    if (window := _window(standing, u, v, q)) is None:
        return
    alpha, colour = _cast(clip, standing, u[window[1]], v[window[0]], q)
    picture[window] = picture[window] * (1 - alpha[..., None]) + colour


def _finer(samples: Array) -> Array:
    step = (samples[-1] - samples[0]) / max(len(samples) - 1, 1)
    offsets = (np.arange(SAMPLES, dtype=np.float32) + 0.5) / SAMPLES - 0.5
    return (samples[:, None] + step * offsets).ravel()


def _cast(clip: Clip, standing: Standing, u: Array, v: Array, q: Quirks) -> tuple[Array, Array]:
    """Coverage [rows, columns] and colour times coverage [rows, columns, 3] of the plane's `v` and `u`."""
    place = standing.place
    wide = standing.scale / np.sqrt(place.squash)
    scale = np.array([wide, standing.scale * place.squash, wide], np.float32)
    turn = np.array([[np.cos(q.yaw), 0, np.sin(q.yaw)], [0, 1, 0], [-np.sin(q.yaw), 0, np.cos(q.yaw)]], np.float32)
    fine_u, fine_v = _finer(u), _finer(v)
    rays = np.empty((len(fine_v), len(fine_u), 3), np.float32)
    rays[..., 0], rays[..., 1], rays[..., 2] = fine_u[None, :] / FOCAL, (fine_v[:, None] - q.horizon) / FOCAL, 1
    rays = rays.reshape(-1, 3) @ turn.T / scale
    origin = turn @ np.array([-place.x, EYE - place.lift, -place.z], np.float32) / scale
    found, points, normal = solids.hit(standing.thing.shape, origin, rays)
    colour = np.zeros_like(rays)
    if clip.look == "depth":
        colour[found] = (DEPTH_NEAR / np.maximum((points[found] - origin) @ turn[:, 2] * wide, 0.5))[:, None]
    else:
        view = -rays[found] / np.linalg.norm(rays[found], axis=1, keepdims=True)
        colour[found] = _shade(clip, standing.thing, normal[found], view, turn, q)
    fine = np.concatenate([found[:, None].astype(np.float32), colour], 1).reshape(len(fine_v), len(fine_u), 4)
    coarse = np.zeros((len(v), len(u), 4), np.float32)
    for i in range(SAMPLES):
        for j in range(SAMPLES):
            coarse += fine[i::SAMPLES, j::SAMPLES] / SAMPLES**2
    return coarse[..., 0], coarse[..., 1:]


def _shade(clip: Clip, thing: Thing, normal: Array, view: Array, turn: Array, q: Quirks) -> Array:
    if clip.look != "final":
        albedo = np.asarray(COLOURS[thing.colour] if clip.look == "plain" else (0.8, 0.8, 0.8), np.float32)
        facing = np.clip(normal @ (turn @ _STUDIO), 0, 1)[:, None]
        return albedo * (0.45 + 0.5 * facing)
    light = LIGHTS[clip.time]
    albedo = np.clip(np.asarray(COLOURS[thing.colour]) * q.tint, 0, 1).astype(np.float32)
    towards = turn @ np.asarray(light.direction, np.float32)
    facing = np.clip(normal @ towards, -0.25, 1)[:, None] * 0.92 + 0.08
    ambient = 0.4 * np.asarray(light.ambient, np.float32) + 0.34
    bounce = (
        np.clip(0.5 - 0.5 * normal[:, 1:2], 0, 1) * 0.18 * landscape.lit(landscape.GROUNDS[clip.ground], light, 0.7)
    )
    shine = np.clip((normal * (towards + view)).sum(1) / np.linalg.norm(towards + view, axis=1), 0, 1)[:, None]
    colour = albedo * (
        ambient * (0.72 + 0.28 * normal[:, 1:2]) + 1.35 * np.clip(facing, 0, 1) * np.asarray(light.key, np.float32)
    )
    gloss = 0.5 * shine**24 * np.asarray(light.key, np.float32)
    return (colour + albedo * bounce + gloss).astype(np.float32)
