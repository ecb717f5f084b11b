# SPDX-License-Identifier: GPL-3.0-or-later
"""The text encoder, taught before any picture what a caption says and where a moment of it puts things.

The image networks then only have to draw what the encoder already tells. The heads are thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ..scenery import ATTRIBUTES, CAMERAS, MOTIONS, PERIOD, SIZES, Clip, caption, place_at, random_clip, view_at
from ..scenery.landscape import EYE, FOCAL
from .loop import Draw, Stage, device_of
from .muon import grouped
from .settings import Settings
from .tokens import encode, with_moments

BINS = 16
FIELDS = ("across", "bottom", "size", "pan", "zoom")
OMISSIONS = {"colour": 0.04, "shape": 0.04, "ground": 0.09, "time": 0.09}
"""How often a caption is silent about what it could say."""
TERSE = 0.05
SAID: dict[str, tuple[str, ...]] = {
    "count": ("0", "1", "2"),
    "colour": ATTRIBUTES["colour"],
    "shape": ATTRIBUTES["shape"],
    "size": tuple(SIZES),
    "second colour": ATTRIBUTES["colour"],
    "second shape": ATTRIBUTES["shape"],
    "ground": ATTRIBUTES["ground"],
    "time": ATTRIBUTES["time"],
    "motion": MOTIONS,
    "camera": CAMERAS,
}
"""What the heads are asked; each has one answer more: that the caption does not say."""
WHOLE = 0.2


def build(settings: Settings, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=settings.text_width,
            intermediate_size=4 * settings.text_width,
            projection_dim=settings.text_width,
            num_hidden_layers=settings.text_layers,
            num_attention_heads=max(1, settings.text_width // 16),
            max_position_embeddings=settings.text_tokens,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
        )
    )


def omissions(rng: np.random.Generator) -> list[str]:
    """What the next caption is silent about; few say next to nothing."""
    if rng.random() < TERSE:
        kept = rng.integers(len(OMISSIONS), size=int(rng.integers(3)))
        return [name for number, name in enumerate(OMISSIONS) if number not in kept]
    return [name for name, share in OMISSIONS.items() if rng.random() < share]


def meaning(clip: Clip, omit: Sequence[str]) -> list[int]:
    """The index of each answer of `SAID`; one past the last where the caption does not say."""
    things = {"colour": [t.colour for t in clip.things], "shape": [t.shape for t in clip.things]}
    answers: dict[str, str | None] = {
        "count": str(len(clip.things)),
        "size": clip.things[0].size if clip.things else None,
        "ground": None if "ground" in omit else clip.ground,
        "time": None if "time" in omit else clip.time,
        "motion": clip.motion,
        "camera": clip.camera,
    }
    for name, values in things.items():
        known = [] if name in omit else values
        answers[name] = known[0] if known else None
        answers[f"second {name}"] = known[1] if len(known) > 1 else None
    return [len(SAID[name]) if answers[name] is None else SAID[name].index(str(answers[name])) for name in SAID]


def places() -> Tensor:
    """Soft bins of where things are [motions, cameras, PERIOD, FIELDS, BINS]."""
    raw = np.zeros((len(MOTIONS), len(CAMERAS), PERIOD, len(FIELDS)), np.float32)
    for i, motion in enumerate(MOTIONS):
        for j, camera in enumerate(CAMERAS):
            for moment in range(PERIOD):
                place, view = place_at(motion, moment), view_at(camera, moment)
                across = (place.x * FOCAL / place.z - view.pan) * view.zoom
                bottom = (place.lift - EYE) * FOCAL / place.z * view.zoom
                raw[i, j, moment] = across, bottom, view.zoom / place.z, view.pan, view.zoom
    low, high = raw.min((0, 1, 2)), raw.max((0, 1, 2))
    where = (raw - low) / (high - low) * (BINS - 1)
    soft = np.exp(-0.5 * (where[..., None] - np.arange(BINS)) ** 2)
    return torch.from_numpy((soft / soft.sum(-1, keepdims=True)).astype(np.float32))


class Taught(nn.Module):
    """The encoder with a linear head for each thing a caption says."""

    def __init__(self, encoder: CLIPTextModel, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.answers = nn.ModuleList(nn.Linear(width, len(values) + 1) for values in SAID.values())
        self.places = nn.Linear(width, len(FIELDS) * BINS)

    def forward(self, ids: Tensor) -> tuple[list[Tensor], Tensor]:
        """Logits from the end token's states [n], then from the last position's [n]."""
        hidden = self.encoder(input_ids=ids).last_hidden_state
        end = (ids == self.encoder.config.eos_token_id).int().argmax(1)
        states = torch.cat([hidden[torch.arange(len(ids)), end], hidden[:, -1]])
        return [head(states) for head in self.answers], self.places(states).unflatten(-1, (len(FIELDS), BINS))


def corpus(tokenizer: CLIPTokenizer, settings: Settings, count: int) -> tuple[Tensor, Tensor]:
    """Captions [count, length] and the answers [count, questions]."""
    rng = np.random.Generator(np.random.Philox(settings.seed + 2000))
    texts, labels = [], []
    for _ in range(count):
        clip, silent = random_clip(rng), omissions(rng)
        texts.append(caption(clip, rng, omit=silent))
        labels.append(meaning(clip, silent))
    return encode(tokenizer, texts), torch.tensor(labels)


def stage(model: Taught, tokenizer: CLIPTokenizer, settings: Settings) -> Stage:
    ids, labels = corpus(tokenizer, settings, settings.text_corpus)
    table = places()
    ask = {name: number for number, name in enumerate(SAID)}

    def loss(draw: Draw, progress: float) -> Tensor:
        rows = torch.from_numpy(draw.rng.integers(len(ids), size=settings.text_batch))
        moments = torch.from_numpy(draw.rng.integers(PERIOD, size=len(rows)))
        moments[torch.from_numpy(draw.rng.random(len(rows)) < 0.3)] = -1
        read = with_moments(tokenizer, ids[rows], moments)
        if draw.rng.random() > WHOLE:
            read = _cut(read, tokenizer.eos_token_id, int(draw.rng.integers(1, 9)))
        answers, where = model(read.to(device_of(model)))
        answers, where = [answer.cpu() for answer in answers], where.cpu()
        said = labels[rows].repeat(2, 1)
        words = sum(nn.functional.cross_entropy(a, said[:, i]) for i, a in enumerate(answers))
        target = table[labels[rows, ask["motion"]], labels[rows, ask["camera"]], moments.clamp(min=0)].repeat(2, 1, 1)
        error = -(target * (where.log_softmax(-1) - target.clamp(min=1e-6).log())).sum(-1).mean(1)
        told = (moments >= 0).float().repeat(2)
        return words + 3 * (error * told).sum() / told.sum().clamp(min=1)

    return Stage("text", model, loss, grouped(model.parameters(), 1.5e-3, muon=False))


def _cut(ids: Tensor, end: int, spare: int) -> Tensor:
    """Without most of the padding, which later states only: `spare` positions stay after the longest caption."""
    longest = int((ids == end).int().argmax(1).max()) + 1
    return ids[:, : longest + spare]


@torch.no_grad()
def accuracy(model: Taught, tokenizer: CLIPTokenizer, settings: Settings, count: int = 1000) -> dict[str, float]:
    """On captions it has not read: the share right per question, and per field of place (nearest bin)."""
    ids, labels = corpus(tokenizer, replace(settings, seed=settings.seed + 1), count)
    moments = torch.arange(count) % PERIOD
    answers, where = model(with_moments(tokenizer, ids, moments))
    said = labels.repeat(2, 1)
    result = {
        name: float((a.argmax(1) == said[:, i]).float().mean())
        for i, (name, a) in enumerate(zip(SAID, answers, strict=True))
    }
    names = list(SAID)
    target = places()[labels[:, names.index("motion")], labels[:, names.index("camera")], moments].repeat(2, 1, 1)
    right = (where.argmax(-1) - target.argmax(-1)).abs() <= 1
    return result | {f"place: {name}": float(right[:, i].float().mean()) for i, name in enumerate(FIELDS)}
