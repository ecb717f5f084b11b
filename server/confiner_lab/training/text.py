# SPDX-License-Identifier: GPL-3.0-or-later
"""The text encoder, taught before any picture what a caption says and where a moment of it puts things.

The image network then only has to draw what the encoder already tells. The heads are thrown away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ..world import ATTRIBUTES, CAMERAS, MOTIONS, PERIOD, caption, place_at, random_clip, view_at
from ..world.landscape import EYE, FOCAL
from .loop import Draw, Stage
from .settings import Settings
from .tokens import encode, with_moments

BINS = 12
FIELDS = ("across", "bottom", "size", "pan", "zoom")
OMITTED = -100


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
        self.attributes = nn.ModuleList(nn.Linear(width, len(values)) for values in ATTRIBUTES.values())
        self.sources = nn.Linear(width, len(FIELDS) * BINS)

    def forward(self, ids: Tensor) -> tuple[list[Tensor], Tensor]:
        hidden = self.encoder(input_ids=ids).last_hidden_state
        end = (ids == self.encoder.config.eos_token_id).int().argmax(1)
        states = torch.cat([hidden[torch.arange(len(ids)), end], hidden[:, -1]])
        return [head(states) for head in self.attributes], self.sources(states).unflatten(-1, (len(FIELDS), BINS))


def corpus(tokenizer: CLIPTokenizer, settings: Settings, count: int) -> tuple[Tensor, Tensor]:
    """Captions [count, length] and attribute indices [count, attributes], `OMITTED` where a caption is silent."""
    rng = np.random.Generator(np.random.Philox(settings.seed + 2000))
    texts, labels = [], []
    for _ in range(count):
        clip = random_clip(rng)
        silent = [name for name in ("ground", "time") if rng.random() < 0.08]
        texts.append(caption(clip, rng, omit=silent))
        labels.append([OMITTED if name in silent else index for name, index in clip.labels().items()])
    return encode(tokenizer, texts), torch.tensor(labels)


def stage(model: Taught, tokenizer: CLIPTokenizer, settings: Settings, count: int = 20000) -> Stage:
    ids, labels = corpus(tokenizer, settings, count)
    table = places()

    def loss(draw: Draw, progress: float) -> Tensor:
        rows = torch.from_numpy(draw.rng.integers(len(ids), size=settings.text_batch))
        moments = torch.from_numpy(draw.rng.integers(PERIOD, size=len(rows)))
        moments[torch.from_numpy(draw.rng.random(len(rows)) < 0.3)] = -1
        attributes, where = model(with_moments(tokenizer, ids[rows], moments))
        said = labels[rows].repeat(2, 1)
        words = sum(nn.functional.cross_entropy(a, said[:, i], ignore_index=OMITTED) for i, a in enumerate(attributes))
        target = table[labels[rows, 4], labels[rows, 5], moments.clamp(min=0)].repeat(2, 1, 1)
        error = -(target * (where.log_softmax(-1) - target.clamp(min=1e-6).log())).sum(-1).mean(1)
        told = (moments >= 0).float().repeat(2)
        return words + 3 * (error * told).sum() / told.sum().clamp(min=1)

    groups: list[dict[str, object]] = [{"params": list(model.parameters()), "lr": 1.5e-3}]
    return Stage("text", model, loss, groups)


@torch.no_grad()
def accuracy(model: Taught, tokenizer: CLIPTokenizer, settings: Settings) -> dict[str, float]:
    """On captions it has not read: the share right per attribute, and per field of place (nearest bin)."""
    ids, labels = corpus(tokenizer, replace(settings, seed=settings.seed + 1), 1000)
    moments = torch.arange(1000) % PERIOD
    attributes, where = model(with_moments(tokenizer, ids, moments))
    said = labels.repeat(2, 1)
    result = {
        name: float((a.argmax(1) == said[:, i])[said[:, i] >= 0].float().mean())
        for i, (name, a) in enumerate(zip(ATTRIBUTES, attributes, strict=True))
    }
    target = places()[labels[:, 4], labels[:, 5], moments].repeat(2, 1, 1)
    right = (where.argmax(-1) - target.argmax(-1)).abs() <= 1
    return result | {name: float(right[:, i].float().mean()) for i, name in enumerate(FIELDS)}
