# SPDX-License-Identifier: GPL-3.0-or-later
"""How many bytes of tensors a clip keeps alive at most, beside what it cannot do without: its weights, each once, and
what the hungriest of its networks holds while it runs once.

And what each network holds at full size, counted on tensors without numbers: `confiner.memory.estimate` plans with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from confiner import Chain, ClipRequest, generate, load_chain, resolve_plan
from confiner.chains import ChainSpec
from torch._subclasses.fake_tensor import FakeTensorMode

from ..published import read_repository
from .cost import FRAMES, WORDS, full_size_networks
from .live import LiveTensors, distinct_bytes
from .stand_in import FEWEST_STEPS, middling_chains

MARK = 1.05
SIDE = 256
LATENT = 32
"""Pixels and latents of one side of the clips that are measured."""


def measure_memory() -> dict[str, Any]:
    """Bytes by chain, the ratio of its peak to what it cannot do without, and the full-size factors."""
    with middling_chains() as chains:
        measured = {name: measure_chain(spec) for name, spec in chains.items()}
    return {"mark": MARK, "chains": measured, "values_per_frame_and_latent_pixel": full_size_values()}


def measure_chain(spec: ChainSpec) -> dict[str, Any]:
    """One clip of a window's frames, with the fewest steps, for which the chain is loaded: no clip loads anything."""
    chain = load_chain(spec.for_control_steps(FEWEST_STEPS))
    networks = [expert.unet for expert in chain.experts.values()]
    weights = distinct_bytes([*networks, chain.space.vae, *(each.text.model for each in chain.experts.values())])
    alone = {name: _peak(work) for name, work in _single_runs(chain).items()}
    clip = _peak(partial(_make_clip, chain))
    needed = weights + max(alone.values())
    return {"weights": weights, "alone": alone, "clip": weights + clip, "ratio": (weights + clip) / needed}


def full_size_values() -> dict[str, float]:
    """Values alive at once per frame and latent pixel, of each published network, and of its autoencoder per frame."""
    found = {}
    networks = full_size_networks()
    vae: Any = read_repository("stable_diffusion").network("vae")
    with FakeTensorMode():
        for name, network in networks.items():
            _materialise(network)
            latents, texts = _inputs(network, name == "stable-diffusion", name in ("stable-diffusion", "animatediff"))
            peak = _peak(partial(network, latents, torch.tensor(0), encoder_hidden_states=texts))
            found[name] = peak / 4 / (FRAMES * LATENT**2)
        _materialise(vae)
        found["decode"] = _peak(partial(vae.decode, torch.empty(1, 4, LATENT, LATENT))) / 4 / LATENT**2
        found["encode"] = _peak(partial(vae.encode, torch.empty(1, 3, SIDE, SIDE))) / 4 / LATENT**2
    return found


def memory_table(found: dict[str, Any]) -> str:
    """The result for people."""
    lines = [f"{'':24}{'weights':>10}{'activation':>12}{'clip':>10}   MB of tensors alive at once"]
    for name, each in found["chains"].items():
        figures = [each["weights"], max(each["alone"].values()), each["clip"]]
        widths = (10, 12, 10)
        row = "".join(f"{count / 1e6:{width}.1f}" for count, width in zip(figures, widths, strict=True))
        lines.append(f"{name:24}{row}   {each['ratio']:.3f} of weights and largest activation; mark {found['mark']}")
    lines += ["", "values alive per frame and latent pixel at full size"]
    lines += [f"{name:24}{value:>10.0f}" for name, value in found["values_per_frame_and_latent_pixel"].items()]
    return "\n".join(lines)


def _peak(work: Callable[[], Any]) -> int:
    with torch.no_grad(), LiveTensors() as live:
        work()
    return live.peak


def _single_runs(chain: Chain) -> dict[str, Callable[[], Any]]:
    """Each network once, on what it is given in a clip."""
    runs: dict[str, Callable[[], Any]] = {}
    for role, expert in chain.experts.items():
        text = expert.read("a red cube")
        latents = torch.zeros(1, 4, FRAMES, LATENT, LATENT)
        runs[role] = partial(expert.predict, latents, 100, text.at(range(FRAMES)))
    frames = chain.memory.decode_frames
    runs["decode"] = partial(chain.space.decode, torch.zeros(1, 4, frames, LATENT, LATENT))
    return runs


def _make_clip(chain: Chain) -> None:
    request = ClipRequest(prompt="a red cube", num_frames=FRAMES, width=SIDE, height=SIDE, refine_steps=1)
    for _ in generate(request, chain, resolve_plan(request, chain)):
        pass


def _inputs(network: Any, folded: bool, per_frame: bool) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (FRAMES, 4, LATENT, LATENT) if folded else (1, 4, FRAMES, LATENT, LATENT)
    return torch.empty(shape), torch.empty(FRAMES if per_frame else 1, WORDS, network.config.cross_attention_dim)


def _materialise(network: torch.nn.Module) -> None:
    """Give a network of the meta device weights of the mode that is on; those have a device, and no numbers."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            module._parameters[name] = torch.nn.Parameter(torch.empty(parameter.shape), requires_grad=False)
        for name, buffer in list(module.named_buffers(recurse=False)):
            module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)
