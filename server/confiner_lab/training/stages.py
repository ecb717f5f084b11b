# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages in their order, and what each needs of those before it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet3DConditionModel, UNetMotionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from ..world import WORLD_VERSION
from . import autoencoder, dataset, image, text, tokens, video
from .export import export
from .loop import Budget, Stage, State, run
from .settings import Settings

Model = TypeVar("Model", bound=nn.Module)

# Each stage's share of the time of a whole training.
SHARES = {"vae": 0.10, "text": 0.02, "decoder": 0.05, "image": 0.36, "spatial": 0.09, "control": 0.19, "temporal": 0.19}


def budgets(names: list[str], *, minutes: float | None, steps: int | None) -> dict[str, Budget]:
    """Share `minutes` out among the stages; `steps` is every stage's own."""
    whole = sum(SHARES[name] for name in names)
    return {name: Budget(steps, minutes * SHARES[name] / whole if minutes is not None else None) for name in names}


@dataclass(frozen=True)
class Training:
    """A training in a folder. Finished stages are read from it; `train` makes or goes on with one."""

    folder: Path
    settings: Settings

    def train(self, name: str, budget: Budget) -> State:
        torch.manual_seed(self.settings.seed)
        stage = self._stage(name)
        state = run(
            stage,
            budget,
            self.folder,
            seed=self.settings.seed,
            checkpoint_seconds=self.settings.checkpoint_seconds,
            report_steps=self.settings.report_steps,
        )
        record = {"steps": state.step, "seconds": round(state.seconds), "losses": state.losses}
        (self.folder / f"{name}.json").write_text(json.dumps(record))
        return state

    def export(self, target: Path) -> None:
        stages = {}
        for name in SHARES:
            stages[name] = json.loads((self.folder / f"{name}.json").read_text())
            stages[name]["losses"] = _thin(stages[name]["losses"])
        export(
            target,
            vae=self._load(autoencoder.build(self.settings), "decoder"),
            text=self.encoder,
            tokenizer=CLIPTokenizer.from_pretrained(self.folder / "tokenizer"),  # not one that has padded
            control=self._load(self._new_control(), "control"),
            spatial=self._load(image.build(self.settings), "spatial"),
            temporal=self._load(self._new_temporal(), "temporal"),
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
        return self._load(autoencoder.build(self.settings), "vae")

    @cached_property
    def encoder(self) -> CLIPTextModel:
        return self._load(self._new_taught(), "text").encoder

    @cached_property
    def image(self) -> UNet2DConditionModel:
        return self._load(image.build(self.settings), "image")

    @cached_property
    def data(self) -> dataset.Shapes:
        dataset.render(self.settings, self.folder)
        dataset.encode_frames(self.vae, self.folder)
        return dataset.load(self.settings, self.folder, self.tokenizer)

    @cached_property
    def _pool(self) -> Tensor:
        return autoencoder.pool(self.settings)

    def _new_taught(self) -> text.Taught:
        return text.Taught(text.build(self.settings, self.tokenizer), self.settings.text_width)

    def _new_control(self) -> UNetMotionModel:
        return video.build_control(self.image, self.settings)

    def _new_temporal(self) -> UNet3DConditionModel:
        return video.build_temporal(self.image, self.settings)

    def _load(self, model: Model, name: str) -> Model:
        model.load_state_dict(torch.load(self.folder / f"{name}.pt", weights_only=True))
        return model.eval().requires_grad_(False)

    def _stage(self, name: str) -> Stage:
        settings = self.settings
        if name == "vae":
            return autoencoder.stage(autoencoder.build(settings), settings, self._pool)
        if name == "decoder":
            return autoencoder.decoder_stage(self._load(autoencoder.build(settings), "vae"), settings, self._pool)
        if name == "text":
            return text.stage(self._new_taught(), self.tokenizer, settings)
        reading = (self.encoder, self.tokenizer, self.data, settings)
        if name == "image":
            return image.image_stage(image.build(settings), *reading)
        if name == "spatial":
            return image.spatial_stage(self._load(image.build(settings), "image").requires_grad_(True), *reading)
        if name == "control":
            return video.control_stage(self._new_control().requires_grad_(True), self.image, *reading)
        return video.temporal_stage(self._new_temporal().requires_grad_(True), self.image, *reading)


def _thin(losses: list[list[float]], count: int = 20) -> list[list[float]]:
    return losses[:: max(1, len(losses) // count)]
