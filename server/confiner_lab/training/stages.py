# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages in their order, and what each needs of those before it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet3DConditionModel, UNetMotionModel
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from ..jury import training as jury
from ..scenery import WORLD_VERSION
from ..scenery.order import pairs
from . import autoencoder, dataset, image, text, tokens, video
from .export import export
from .loop import Budget, Stage, State, run
from .reading import Reader
from .settings import Settings

Model = TypeVar("Model", bound=nn.Module)

MINUTES = {
    "vae": 15,
    "text": 14,
    "data": 30,
    "decoder": 50,
    "sketch": 50,
    "control": 70,
    "frame": 60,
    "temporal": 145,
    "spatial": 200,
    "painter": 25,
    "asker": 25,
}
"""What each stage takes of one core, of a whole training. "data" ends when everything is rendered."""


def budgets(names: list[str], *, minutes: float | None, steps: int | None) -> dict[str, Budget]:
    """Share `minutes` out among the stages, or each its own `MINUTES`; `steps` is every stage's own."""
    whole = sum(MINUTES[name] for name in names)
    share = 1.0 if minutes is None else minutes / whole
    return {name: Budget(steps, None if steps is not None else share * MINUTES[name]) for name in names}


@dataclass(frozen=True)
class Training:
    """A training in a folder. Finished stages are read from it; `train` makes or goes on with one."""

    folder: Path
    settings: Settings
    device: str = "cpu"
    until: float = math.inf
    """When the monotonic clock says so, a stage stops at its checkpoint."""

    def train(self, name: str, budget: Budget) -> State:
        torch.manual_seed(self.settings.seed)
        if name == "data":
            dataset.make(self.settings, self.vae, self.folder / "data")
            return State()
        state = run(
            self._stage(name),
            budget,
            self.folder,
            seed=self.settings.seed,
            checkpoint_seconds=self.settings.checkpoint_seconds,
            report_steps=self.settings.report_steps,
            device=self.device,
            until=self.until,
        )
        record = {"steps": state.step, "seconds": round(state.seconds), "losses": state.losses}
        (self.folder / f"{name}.json").write_text(json.dumps(record))
        return state

    def export(self, target: Path) -> None:
        stages = {}
        for name in self._makers:
            stages[name] = json.loads((self.folder / f"{name}.json").read_text())
            stages[name]["losses"] = _thin(stages[name]["losses"])
        export(
            target,
            vae=self.finished("decoder", autoencoder.build(self.settings)),
            text=self.encoder.cpu(),
            tokenizer=CLIPTokenizer.from_pretrained(self.folder / "tokenizer"),  # not one that has padded
            control=self.finished("control", self._new_control()),
            spatial=self.finished("spatial", self._new_image("spatial")),
            temporal=self.finished("temporal", self._new_temporal()),
            words=pairs(self.settings.text_corpus),
            record={"world": WORLD_VERSION, "settings": asdict(self.settings), "stages": stages},
        )

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        folder = self.folder / "tokenizer"
        if not folder.exists():
            with TemporaryDirectory(dir=self.folder) as made:
                tokens.write_tokenizer(Path(made) / "tokenizer", self.settings.text_tokens)
                (Path(made) / "tokenizer").rename(folder)
        return CLIPTokenizer.from_pretrained(folder)

    @cached_property
    def vae(self) -> AutoencoderKL:
        return self.finished("vae", autoencoder.build(self.settings))

    @cached_property
    def encoder(self) -> CLIPTextModel:
        return self.finished("text", self._new_taught()).encoder

    @cached_property
    def reader(self) -> Reader:
        shapes = dataset.load(self.settings, self.folder / "data", self.tokenizer)
        return Reader(self.encoder.to(self.device), self.tokenizer, shapes, self.settings)

    @cached_property
    def _pool(self) -> autoencoder.Pool:
        return autoencoder.pool(self.settings)

    def image(self, name: str) -> UNet2DConditionModel:
        """A finished image network: "sketch", "frame" or "spatial"."""
        return self.finished(name, self._new_image(name))

    def finished(self, name: str, model: Model) -> Model:
        model.load_state_dict(torch.load(self.folder / f"{name}.pt", weights_only=True))
        return model.eval().requires_grad_(False)

    def empty_network(self, name: str) -> nn.Module:
        """The network of an expert, or one that an expert grows from, before any training of its own."""
        if name == "control":
            return self._new_control()
        return self._new_temporal() if name == "temporal" else self._new_image(name)

    def _new_taught(self) -> text.Taught:
        return text.Taught(text.build(self.settings, self.tokenizer), self.settings.text_width)

    def _new_image(self, name: str) -> UNet2DConditionModel:
        s = self.settings
        channels = {"sketch": s.control_channels, "frame": s.temporal_channels, "spatial": s.spatial_channels}
        return image.build(s, channels[name], head_width=image.NARROW_HEADS if name == "frame" else image.HEAD_WIDTH)

    def _new_control(self) -> UNetMotionModel:
        return video.build_control(self.image("sketch"), self.settings)

    def _new_temporal(self) -> UNet3DConditionModel:
        return video.build_temporal(self.image("frame"), self.settings)

    @cached_property
    def _makers(self) -> dict[str, Callable[[], Stage]]:
        s = self.settings
        return {
            "vae": lambda: autoencoder.stage(autoencoder.build(s), s, self._pool),
            "text": lambda: text.stage(self._new_taught(), self.tokenizer, s),
            "decoder": lambda: autoencoder.decoder_stage(self.finished("vae", autoencoder.build(s)), s, self._pool),
            "sketch": lambda: image.sketch_stage(self._new_image("sketch"), self.reader),
            "control": lambda: video.control_stage(
                self._new_control().requires_grad_(True), self.image("sketch"), self.reader
            ),
            "frame": lambda: image.frame_stage(self._new_image("frame"), self.reader),
            "temporal": lambda: video.temporal_stage(
                self._new_temporal().requires_grad_(True), self.image("frame"), self.reader
            ),
            "spatial": lambda: image.spatial_stage(self._new_image("spatial"), self.reader),
            "painter": lambda: self._new_judge("painter"),
            "asker": lambda: self._new_judge("asker"),
        }

    def _new_judge(self, name: str) -> Stage:
        s = self.settings
        return jury.stage(name, jury.build(name), batch=s.judge_batch, pool=s.judge_pool, sizes=(s.wide, s.square))

    def _stage(self, name: str) -> Stage:
        return self._makers[name]()


def _thin(losses: list[list[float]], count: int = 20) -> list[list[float]]:
    return losses[:: max(1, len(losses) // count)]
