# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to latents and back, against the autoencoder used by hand; previews by a linear map."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from confiner.experts.latent_space import LatentSpace
from confiner.experts.preview import fit_preview, preview
from confiner.loading.chain import Chain
from diffusers import AutoencoderKL
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

PICTURES = np.random.Generator(np.random.Philox(2)).integers(0, 256, (3, 32, 48, 3), dtype=np.uint8)


@torch.no_grad()
def test_frames_are_encoded_and_decoded_as_diffusers_does(chain: Chain) -> None:
    space, vae = chain.space, chain.space.vae
    processor = VaeImageProcessor(vae_scale_factor=4)
    images = processor.preprocess([Image.fromarray(picture) for picture in PICTURES])
    expected = vae.encode(images).latent_dist.mode() * vae.config.scaling_factor
    latents = space.encode(PICTURES)
    assert latents.shape == (1, 4, 3, *space.frame_shape(48, 32)[1:])
    torch.testing.assert_close(latents[0].transpose(0, 1), expected, rtol=0, atol=1e-5)
    decoded = processor.postprocess(vae.decode(expected / vae.config.scaling_factor).sample, output_type="pil")
    theirs = np.stack([np.asarray(image) for image in decoded])
    assert np.abs(space.decode(latents).astype(int) - theirs.astype(int)).max() <= 1


@torch.no_grad()
def test_a_shifted_space_is_shifted_back() -> None:
    config = {"block_out_channels": (8, 8), "down_block_types": ("DownEncoderBlock2D",) * 2}
    vae = AutoencoderKL(**config, up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=4, shift_factor=0.5)
    plain = AutoencoderKL(**config, up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=4)
    plain.load_state_dict(vae.state_dict())
    shifted, unshifted = LatentSpace(vae), LatentSpace(plain)
    scale = vae.config.scaling_factor
    torch.testing.assert_close(shifted.encode(PICTURES), unshifted.encode(PICTURES) - 0.5 * scale)
    ours, plainly = shifted.decode(shifted.encode(PICTURES)), unshifted.decode(unshifted.encode(PICTURES))
    assert np.abs(ours.astype(int) - plainly.astype(int)).max() <= 1


class _Averaging:
    """An autoencoder whose latents are the mean colours of 4×4 pixels, in another basis."""

    config = SimpleNamespace(latent_channels=3, block_out_channels=(1, 1, 1), scaling_factor=2.0)
    basis = torch.tensor([[0.5, 0.2, -0.3], [0.1, -0.6, 0.4], [0.3, 0.3, 0.3]])

    def parameters(self) -> object:
        return iter([self.basis])

    def encode(self, images: torch.Tensor) -> SimpleNamespace:
        means = torch.nn.functional.avg_pool2d(images, 4)
        mixed = torch.einsum("ij,bjhw->bihw", self.basis, means)
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: mixed))


def test_previews_of_a_linear_space_are_exact() -> None:
    space = LatentSpace(_Averaging())
    blocks = PICTURES[:1, ::4, ::4]
    picture = blocks.repeat(4, axis=1).repeat(4, axis=2)
    shown = preview(space.encode(picture)[0, :, 0], fit_preview(space))
    assert shown.dtype == np.uint8
    assert np.abs(shown.astype(int) - blocks[0].astype(int)).max() <= 1
