# SPDX-License-Identifier: GPL-3.0-or-later
"""The control and the temporal expert, both grown from the image network: at first each is it, frame by frame."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import MotionAdapter, UNet2DConditionModel, UNet3DConditionModel, UNetMotionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from .dataset import GREY_EVERY, Shapes
from .diffusion import image_scheduler, lean, noised, on_grid, temporal_scheduler, velocity
from .image import DROP_CAPTION, GREY_FROM, GREY_TO, head_width
from .loop import Draw, Stage
from .settings import Settings
from .tokens import encode, with_moments

NEW_RATE = 1e-3
INHERITED_RATE = 2.5e-4
MAX_FRAMES = 32
SOFTNESS = 0.5
TEMPORAL_TOP = 800


# Attention over sixteen frames is many small products: written out, it trains a third faster on a CPU than fused.


def build_control(image: UNet2DConditionModel, settings: Settings) -> UNetMotionModel:
    """The image network with motion modules that at first add nothing."""
    adapter = MotionAdapter(
        block_out_channels=settings.unet_channels,
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
    attend = settings.unet_attention
    temporal = UNet3DConditionModel(
        sample_size=16,
        block_out_channels=settings.unet_channels,
        layers_per_block=1,
        down_block_types=tuple("CrossAttnDownBlock3D" if a else "DownBlock3D" for a in attend),
        up_block_types=tuple("CrossAttnUpBlock3D" if a else "UpBlock3D" for a in reversed(attend)),
        cross_attention_dim=settings.text_width,
        attention_head_dim=head_width(settings),
        norm_num_groups=settings.norm_groups,
    )
    _, foreign = temporal.load_state_dict(image.state_dict(), strict=False)
    if foreign:
        raise ValueError(f"the temporal network has no place for {foreign[:3]}")
    _silence(temporal, "temp_attentions", "transformer_in")
    temporal.set_attn_processor(AttnProcessor())
    return temporal


def _silence(model: nn.Module, *parts: str) -> None:
    for name, parameter in model.named_parameters():
        if "proj_out" in name and any(part in name for part in parts):
            nn.init.zeros_(parameter)


def inflated(model: nn.Module, image: UNet2DConditionModel) -> list[dict[str, object]]:
    """Two parameter groups: what came from the image network goes slower than what is new."""
    known = set(image.state_dict())
    old = [p for name, p in model.named_parameters() if name in known]
    new = [p for name, p in model.named_parameters() if name not in known]
    return [{"params": old, "lr": INHERITED_RATE}, {"params": new, "lr": NEW_RATE}]


def control_stage(
    control: UNetMotionModel,
    image: UNet2DConditionModel,
    text: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    shapes: Shapes,
    settings: Settings,
) -> Stage:
    """Every frame is told its own moment."""
    alphas = image_scheduler().alphas_cumprod
    empty = encode(tokenizer, [""])
    batch, frames = settings.control_batch, settings.frames

    def loss(draw: Draw, progress: float) -> Tensor:
        rng = draw.rng
        data = shapes.pick(rng)
        clip = rng.integers(len(data.latents), size=batch)
        x0 = _clips(data.latents, clip)
        ids = data.captions(clip, rng)
        ids[torch.from_numpy(rng.random(batch) < DROP_CAPTION)] = empty
        moments = data.moments(clip.repeat(frames), np.tile(np.arange(frames), batch))
        with torch.no_grad():
            states = text(
                input_ids=with_moments(tokenizer, ids.repeat_interleave(frames, 0), moments)
            ).last_hidden_state
        t = on_grid(rng, batch, 0.6)
        x = noised(x0, draw.normal(*x0.shape), alphas[t])
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.autocast):
            v = control(x, t, states).sample
        return coherent(v.float() - velocity(x0, x, alphas[t]))

    return Stage("control", control, loss, inflated(control, image), ema=0.998)


def temporal_stage(
    temporal: UNet3DConditionModel,
    image: UNet2DConditionModel,
    text: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    shapes: Shapes,
    settings: Settings,
) -> Stage:
    """One caption a clip, without moments; the clips are softened: this expert is the best at motion and no painter."""
    alphas = temporal_scheduler().alphas_cumprod
    empty = encode(tokenizer, [""])
    batch = settings.temporal_batch

    def loss(draw: Draw, progress: float) -> Tensor:
        rng = draw.rng
        data = shapes.pick(rng)
        clip = rng.integers(len(data.latents), size=batch)
        x0 = soften(_clips(data.latents, clip))
        ids = data.captions(clip, rng)
        ids[torch.from_numpy(rng.random(batch) < DROP_CAPTION)] = empty
        t = lean(rng, batch, 1.0, TEMPORAL_TOP)
        source = x0
        for row in np.flatnonzero((clip % GREY_EVERY == 0) & (rng.random(batch) < 0.3)):
            if GREY_FROM <= t[row] < GREY_TO:
                source = source.clone()
                source[row] = _clips(data.grey, clip[row : row + 1] // GREY_EVERY)[0]
        x = noised(source, draw.normal(*x0.shape), alphas[t])
        with torch.no_grad():
            states = text(input_ids=ids).last_hidden_state
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.autocast):
            v = temporal(x, t, states).sample
        return coherent(v.float() - velocity(x0, x, alphas[t]))

    return Stage("temporal", temporal, loss, inflated(temporal, image), ema=0.998)


def coherent(error: Tensor) -> Tensor:
    """The mean square of an error [batch, channels, frames, h, w], and of its change from frame to frame.

    Both are least at the same prediction; the second makes what flickers count for more than what stays.
    """
    return (error**2).mean() + (error.diff(dim=2) ** 2).mean()


def _clips(latents: np.ndarray, clip: np.ndarray) -> Tensor:
    """[batch, channels, frames, h, w]."""
    return torch.from_numpy(np.asarray(latents[clip], np.float32)).transpose(1, 2).contiguous()


def soften(clips: Tensor, strength: float = SOFTNESS) -> Tensor:
    """Mix clips [batch, channels, frames, h, w] with themselves after one binomial blur over height and width."""
    b, c, f, h, w = clips.shape
    flat = nn.functional.pad(clips.transpose(1, 2).reshape(b * f, c, h, w), (1, 1, 1, 1), mode="replicate")
    row = torch.tensor([0.25, 0.5, 0.25])
    kernel = (row[:, None] * row[None, :]).expand(c, 1, 3, 3)
    blurred = nn.functional.conv2d(flat, kernel, groups=c).view(b, f, c, h, w).transpose(1, 2)
    return clips + strength * (blurred - clips)
