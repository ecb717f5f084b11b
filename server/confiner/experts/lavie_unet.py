# SPDX-License-Identifier: GPL-3.0-or-later
"""LaVie's base UNet as a diffusers model (Wang et al. 2023, arXiv 2309.15103), which diffusers itself does not have.

It is Stable Diffusion's UNet with every tensor under its own name, plus nine tensors of time in each of its sixteen
transformer blocks: there frames attend to each other between text and feed-forward. Frames are folded into the batch,
except where the group norms outside the transformers take their statistics over a whole clip.

How many frames a clip has is nowhere a setting: time and text come once per clip and pixels once per frame, so each
block reads the count from the two batch sizes.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention import AttentionMixin
from diffusers.models.unets.unet_3d_condition import UNet3DConditionOutput
from torch import nn

ROTARY_WIDTH = 32
POSITION_BUCKETS = 32
FARTHEST_POSITION = 32


class LaVieUNet(ModelMixin, ConfigMixin, AttentionMixin):
    """Noise from noisy latents `[batch, channels, frames, height, width]`, a timestep and text `[batch, words, width]`.

    The defaults are the published model. Text is given once per clip. Any number of frames can be asked for; it was
    trained on 16.
    """

    _supports_gradient_checkpointing = False
    _no_split_modules: ClassVar[list[str]] = ["ClipResnet", "ClipTransformerBlock"]
    _keep_in_fp32_modules: ClassVar[list[str]] = ["rotary_emb"]  # in half precision late frames would be turned amiss

    @register_to_config
    def __init__(
        self,
        sample_size: int | tuple[int, int] = (40, 64),
        in_channels: int = 4,
        out_channels: int = 4,
        down_block_types: tuple[str, ...] = (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types: tuple[str, ...] = ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280),
        layers_per_block: int = 2,
        norm_num_groups: int = 32,
        cross_attention_dim: int = 768,
        attention_head_dim: int = 8,
    ) -> None:
        super().__init__()
        image = UNet2DConditionModel(**self.config)
        self.time_proj, self.time_embedding = image.time_proj, image.time_embedding
        self.conv_in, self.down_blocks, self.mid_block = image.conv_in, image.down_blocks, image.mid_block
        self.up_blocks, self.conv_norm_out, self.conv_out = image.up_blocks, image.conv_norm_out, image.conv_out
        for block in (*self.down_blocks, self.mid_block, *self.up_blocks):
            block.resnets = nn.ModuleList(ClipResnet(resnet) for resnet in block.resnets)
            for transformer in getattr(block, "attentions", ()):
                transformer.transformer_blocks = nn.ModuleList(
                    map(ClipTransformerBlock, transformer.transformer_blocks)
                )

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor | float,
        encoder_hidden_states: torch.Tensor,
        return_dict: bool = True,
    ) -> UNet3DConditionOutput | tuple[torch.Tensor]:
        """Same arguments and result as diffusers' `UNet3DConditionModel`."""
        clips, frames = sample.shape[0], sample.shape[2]
        timesteps = torch.as_tensor(timestep, device=sample.device).expand(clips)
        temb = self.time_embedding(self.time_proj(timesteps).to(sample.dtype))
        text = {"encoder_hidden_states": encoder_hidden_states}

        x = self.conv_in(sample.transpose(1, 2).flatten(0, 1))
        skips = [x]
        for block in self.down_blocks:
            x, made = block(x, temb, **(text if hasattr(block, "attentions") else {}))
            skips += made
        x = self.mid_block(x, temb, **text)
        for block in self.up_blocks:
            taken = [skips.pop() for _ in block.resnets]
            beyond = skips[-1].shape[2:] if skips else None  # sizes that halve unevenly come back to what they were
            extra = text if hasattr(block, "attentions") else {}
            x = block(x, tuple(reversed(taken)), temb, upsample_size=beyond, **extra)
        x = self.conv_out(F.silu(over_clip(self.conv_norm_out, x, frames)))

        sample = x.unflatten(0, (clips, frames)).transpose(1, 2)
        return UNet3DConditionOutput(sample=sample) if return_dict else (sample,)


class ClipResnet(nn.Module):
    """The layers of a `ResnetBlock2D`, with both norms over whole clips and one time embedding per clip."""

    def __init__(self, image: Any) -> None:
        super().__init__()
        self.norm1, self.conv1, self.time_emb_proj = image.norm1, image.conv1, image.time_emb_proj
        self.norm2, self.conv2, self.conv_shortcut = image.norm2, image.conv2, image.conv_shortcut

    def forward(self, x: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        """`x` `[clips·frames, channels, height, width]`, `temb` `[clips, width]`."""
        frames = x.shape[0] // temb.shape[0]
        h = self.conv1(F.silu(over_clip(self.norm1, x, frames)))
        h = h + self.time_emb_proj(F.silu(temb)).repeat_interleave(frames, 0)[:, :, None, None]
        h = self.conv2(F.silu(over_clip(self.norm2, h, frames)))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class ClipTransformerBlock(nn.Module):
    """The layers of a `BasicTransformerBlock`, with attention over time before the feed-forward."""

    def __init__(self, image: Any) -> None:
        super().__init__()
        self.norm1, self.attn1, self.norm2, self.attn2 = image.norm1, image.attn1, image.norm2, image.attn2
        self.norm3, self.ff = image.norm3, image.ff
        width, heads = image.attn1.to_q.in_features, image.attn1.heads
        self.norm_temp = nn.LayerNorm(width)
        self.attn_temp = TemporalAttention(width, heads)

    def forward(self, x: torch.Tensor, encoder_hidden_states: torch.Tensor, **unused: Any) -> torch.Tensor:
        """`x` `[clips·frames, height·width, channels]`, text `[clips, words, width]`; a transformer passes more on."""
        frames = x.shape[0] // encoder_hidden_states.shape[0]
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), encoder_hidden_states.repeat_interleave(frames, 0))
        x = x + self._through_time(self.norm_temp(x), frames)
        return x + self.ff(self.norm3(x))

    def _through_time(self, x: torch.Tensor, frames: int) -> torch.Tensor:
        pixels = x.shape[1]
        x = x.unflatten(0, (-1, frames)).transpose(1, 2).flatten(0, 1)
        x = self.attn_temp(x)
        return x.unflatten(0, (-1, pixels)).transpose(1, 2).flatten(0, 1)


class TemporalAttention(nn.Module):
    """Attention of each pixel's frames to each other: rotary positions in q and k, a learned bias for how far apart."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        self.time_rel_pos_bias = RelativePositionBias(heads)
        self.rotary_emb = RotaryEmbedding(min(ROTARY_WIDTH, width // heads))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`x` `[pixels, frames, channels]`."""
        q, k, v = (to(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for to in (self.to_q, self.to_k, self.to_v))
        bias = self.time_rel_pos_bias(x.shape[1]).to(x.dtype)
        seen = F.scaled_dot_product_attention(self.rotary_emb(q), self.rotary_emb(k), v, attn_mask=bias)
        return self.to_out[0](seen.transpose(1, 2).flatten(2))


class RotaryEmbedding(nn.Module):
    """Turn neighbouring pairs of the first `width` channels by position times frequency (arXiv 2104.09864)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.freqs = nn.Parameter(10_000.0 ** -(torch.arange(0, width, 2).float() / width), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`x` `[…, positions, channels]`."""
        angles = torch.arange(x.shape[-2], device=x.device)[:, None] * self.freqs
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        turned, rest = x.split([2 * len(self.freqs), x.shape[-1] - 2 * len(self.freqs)], dim=-1)
        even, odd = turned[..., ::2], turned[..., 1::2]
        pairs = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1)
        return torch.cat((pairs.flatten(-2), rest), dim=-1)


class RelativePositionBias(nn.Module):
    """One learned bias per head and distance, distances in buckets as in T5 (arXiv 1910.10683, section 2.1)."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.relative_attention_bias = nn.Embedding(POSITION_BUCKETS, heads)

    def forward(self, frames: int) -> torch.Tensor:
        """`[heads, frames, frames]`, to be added to the scores of query by key."""
        position = torch.arange(frames, device=self.relative_attention_bias.weight.device)
        buckets = position_buckets(position[None, :] - position[:, None])
        return self.relative_attention_bias(buckets).permute(2, 0, 1)


def position_buckets(offsets: torch.Tensor) -> torch.Tensor:
    """Which bucket each `key − query` falls into: half for the past, half for the future, in each half the nearest
    eight distances on their own and the farther ones by their logarithm, all beyond `FARTHEST_POSITION` together."""
    half, exact = POSITION_BUCKETS // 2, POSITION_BUCKETS // 4
    distance = offsets.abs()
    growth = torch.log(distance.clamp(min=1).float() / exact) / math.log(FARTHEST_POSITION / exact)
    far = (exact + (growth * (half - exact)).long()).clamp(max=half - 1)
    return torch.where(distance < exact, distance, far) + (offsets > 0).long() * half


def over_clip(norm: nn.Module, x: torch.Tensor, frames: int) -> torch.Tensor:
    """Normalize `[clips·frames, channels, height, width]` with statistics over frames, height and width together."""
    clip = x.unflatten(0, (-1, frames)).transpose(1, 2)
    return norm(clip).transpose(1, 2).flatten(0, 1)
