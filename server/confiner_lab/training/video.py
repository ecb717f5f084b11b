# SPDX-License-Identifier: GPL-3.0-or-later
"""The control and the temporal expert, each grown from an image network of its own, frame by frame at first."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import MotionAdapter, UNet2DConditionModel, UNet3DConditionModel, UNetMotionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn

from .diffusion import image_scheduler, lean, noised, on_grid, soften, temporal_scheduler, velocity
from .image import BOX_FROM, BOX_TO, FRAME, NARROW_HEADS, SKETCH
from .loop import Draw, Stage, device_of
from .muon import is_matrix
from .reading import Reader, Shown
from .settings import Settings

NEW_RATE = 1e-3
INHERITED_RATE = 4e-4
MAX_FRAMES = 32
PASSAGES = 0.1
CONTROL_BOXES, TEMPORAL_BOXES = 0.06, 0.12
STEADINESS = 1.0
"""How much the error's change from frame to frame counts beside the error."""


# Attention over sixteen frames is many small products: written out, it trains a third faster on a CPU than fused.


def build_control(image: UNet2DConditionModel, settings: Settings) -> UNetMotionModel:
    """The image network with motion modules that at first add nothing."""
    adapter = MotionAdapter(
        block_out_channels=settings.control_channels,
        motion_layers_per_block=1,
        motion_mid_block_layers_per_block=1,
        motion_num_attention_heads=2,
        motion_norm_num_groups=settings.norm_groups,
        motion_max_seq_length=MAX_FRAMES,
        use_motion_mid_block=True,
    )
    control = UNetMotionModel.from_unet2d(image, adapter)
    _silence(control, "motion_modules")
    control.set_attn_processor(AttnProcessor())
    return control


def build_temporal(image: UNet2DConditionModel, settings: Settings) -> UNet3DConditionModel:
    """The image network with temporal convolutions and attentions that at first add nothing."""
    attend, channels = settings.attention, settings.temporal_channels
    temporal = UNet3DConditionModel(
        sample_size=image.config.sample_size,
        block_out_channels=channels,
        layers_per_block=1,
        down_block_types=tuple("CrossAttnDownBlock3D" if a else "DownBlock3D" for a in attend),
        up_block_types=tuple("CrossAttnUpBlock3D" if a else "UpBlock3D" for a in reversed(attend)),
        cross_attention_dim=settings.text_width,
        attention_head_dim=NARROW_HEADS,
        norm_num_groups=settings.norm_groups,
    )
    _, foreign = temporal.load_state_dict(image.state_dict(), strict=False)
    if foreign:
        raise ValueError(f"the temporal network has no place for {foreign[:3]}")
    _silence(temporal, "temp_attentions", "transformer_in")
    temporal.set_attn_processor(AttnProcessor())
    for module in temporal.modules():
        if isinstance(module, nn.Conv3d):
            module.__class__ = OverTime
        elif isinstance(module, nn.Dropout):
            module.p = 0.0
    return temporal


class OverTime(nn.Conv3d):
    """A convolution over frames alone, done as one over a plane: on a CPU several times as fast, the same to the bit
    of a sum's order. Weights and names are those of the class that it stands in for."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, frames, height, width]."""
        flat = nn.functional.conv2d(x.flatten(3), self.weight.squeeze(-1), self.bias, padding=(1, 0))
        return flat.unflatten(3, x.shape[3:])


def _silence(model: nn.Module, *parts: str) -> None:
    for name, parameter in model.named_parameters():
        if "proj_out" in name and any(part in name for part in parts):
            nn.init.zeros_(parameter)


def inflated(model: nn.Module, image: UNet2DConditionModel) -> list[dict[str, object]]:
    """Parameter groups: what came from the image network goes slower than what is new."""
    known = set(image.state_dict())
    groups: list[dict[str, object]] = []
    for old, rate in ((True, INHERITED_RATE), (False, NEW_RATE)):
        chosen = [p for name, p in model.named_parameters() if (name in known) == old]
        for muon in (True, False):
            groups.append({"params": [p for p in chosen if is_matrix(p) == muon], "lr": rate, "muon": muon})
    return groups


def control_stage(control: UNetMotionModel, image: UNet2DConditionModel, reader: Reader) -> Stage:
    """Softened clips; every frame is told its own moment."""
    alphas = image_scheduler().alphas_cumprod
    batch = reader.settings.control_batch

    def loss(draw: Draw, progress: float) -> Tensor:
        shown = _draw(reader, draw.rng, batch, per_frame=True, boxes=CONTROL_BOXES)
        t = _timesteps(on_grid(draw.rng, batch, 0.6), shown, draw.rng)
        x0, x = _noise(shown, SKETCH.softness, draw, alphas[t])
        return coherent(_error(control, x, t, shown.states, velocity(x0, x, alphas[t])))

    return Stage("control", control, loss, inflated(control, image), ema=0.998)


def temporal_stage(temporal: UNet3DConditionModel, image: UNet2DConditionModel, reader: Reader) -> Stage:
    """The whole noise range, a little softened: this expert is the best at motion and need not be the best painter."""
    alphas = temporal_scheduler().alphas_cumprod
    batch = reader.settings.temporal_batch

    def loss(draw: Draw, progress: float) -> Tensor:
        shown = _draw(reader, draw.rng, batch, per_frame=False, boxes=TEMPORAL_BOXES)
        t = _timesteps(lean(draw.rng, batch, 1.0), shown, draw.rng)
        x0, x = _noise(shown, FRAME.softness, draw, alphas[t])
        return coherent(_error(temporal, x, t, shown.states, velocity(x0, x, alphas[t])))

    return Stage("temporal", temporal, loss, inflated(temporal, image), ema=0.998)


def _draw(reader: Reader, rng: np.random.Generator, batch: int, *, per_frame: bool, boxes: float) -> Shown:
    data, kind = reader.shapes.pick(rng), rng.random()
    if kind < PASSAGES:
        return reader.passages(data, rng, batch, per_frame=per_frame)
    return reader.clips(data, rng, batch, per_frame=per_frame, boxed=bool(kind < PASSAGES + boxes))


def _timesteps(t: Tensor, shown: Shown, rng: np.random.Generator) -> Tensor:
    middle = torch.from_numpy(rng.integers(BOX_FROM, BOX_TO, size=len(t)))
    return torch.where(torch.from_numpy(shown.boxed), middle, t)


def _noise(shown: Shown, softness: float, draw: Draw, alphas: Tensor) -> tuple[Tensor, Tensor]:
    """What is to be learned, and what the network sees of it."""
    x0 = soften(shown.x0, softness)
    source = shown.source if shown.boxed.any() else x0
    return x0, noised(source, draw.normal(*x0.shape), alphas)


def _error(network: nn.Module, x: Tensor, t: Tensor, states: Tensor, truth: Tensor) -> Tensor:
    device = device_of(network)
    error: Tensor = network(x.to(device), t.to(device), states.to(device)).sample - truth.to(device)
    return error


def coherent(error: Tensor) -> Tensor:
    """The mean square of an error [batch, channels, frames, h, w], and of its change from frame to frame.

    Both are least at the same prediction; the second makes what flickers count for more than what stays.
    """
    return (error**2).mean() + STEADINESS * (error.diff(dim=2) ** 2).mean()
