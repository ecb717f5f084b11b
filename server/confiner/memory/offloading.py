# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights that rest in the machine's memory while others work on the device.

Networks take turns (`ModelOffloading`, on accelerate's hooks), or their layers do (diffusers' group offloading).
Layers that two networks share are the very same objects, so each has one owner: it is moved once, whoever asks, and
an image network that follows the motion network built around it moves nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from accelerate.utils import send_to_device
from diffusers.hooks import apply_group_offloading

CPU = torch.device("cpu")


class ModelOffloading:
    """Which layers are on `device` now: those of the network that works, and nothing else."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._present: dict[int, torch.nn.Module] = {}

    def join(self, network: torch.nn.Module) -> None:
        """Let `network`, which rests now, take turns from here on."""
        network.to(CPU)
        add_hook_to_module(network, _TurnHook(self), append=True)

    def admit(self, network: torch.nn.Module) -> None:
        """Bring the layers of `network` to the device, and send all others to rest first."""
        wanted = {id(layer): layer for layer in layers(network)}
        for key in self._present.keys() - wanted.keys():
            _move(self._present.pop(key), CPU)
        for key in wanted.keys() - self._present.keys():
            self._present[key] = wanted[key]
            _move(wanted[key], self.device)


class _TurnHook(ModelHook):
    """Has its network admitted before it runs, and brings what it is given to the same device."""

    def __init__(self, turns: ModelOffloading) -> None:
        self.turns = turns

    def pre_forward(self, module: torch.nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self.turns.admit(module)
        return send_to_device(args, self.turns.device), send_to_device(kwargs, self.turns.device)


def offload_groups(network: torch.nn.Module, device: torch.device) -> None:
    """Let the layers of `network` rest, and come to `device` one after the other while it runs.

    A network whose layers all take part already, as those of one that it was built into, is left as it is.
    """
    if all(hasattr(layer, "_diffusers_hook") for layer in layers(network)):
        return
    apply_group_offloading(network, device, CPU, offload_type="leaf_level", use_stream=device.type == "cuda")


def works_on(network: torch.nn.Module) -> torch.device:
    """The device that `network` computes on, wherever its weights are now."""
    hook = getattr(network, "_hf_hook", None)
    return hook.turns.device if isinstance(hook, _TurnHook) else next(network.parameters()).device


def layers(network: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The modules of `network` that hold weights of their own, each once."""
    for module in network.modules():
        if any(True for _ in (*module.parameters(recurse=False), *module.buffers(recurse=False))):
            yield module


def _move(layer: torch.nn.Module, device: torch.device) -> None:
    """Move a layer's own weights, not those of the layers in it."""
    for name, parameter in list(layer.named_parameters(recurse=False)):
        layer._parameters[name] = torch.nn.Parameter(parameter.data.to(device), requires_grad=parameter.requires_grad)
    for name, buffer in list(layer.named_buffers(recurse=False)):
        layer._buffers[name] = buffer.to(device)
