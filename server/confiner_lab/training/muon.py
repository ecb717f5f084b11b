# SPDX-License-Identifier: GPL-3.0-or-later
"""Muon for the matrices of a network, AdamW for the rest, behind one optimizer.

A convolution's kernel counts as the matrix [out, in · height · width]. Its momentum is orthogonalized by the quintic
Newton-Schulz iteration and scaled to the size of AdamW's updates (Jordan et al. 2024; Liu et al. 2025, arXiv
2502.16982), so that one learning rate serves both.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

MOMENTUM = 0.95
DECAY = 0.01
BETAS = (0.9, 0.99)
SIZE = 0.2
ROUNDS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalized(matrix: Tensor) -> Tensor:
    """About U·Vᵀ of the matrix's singular value decomposition: singular values between .7 and 1.2."""
    x = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    return x.T if tall else x


def is_matrix(parameter: Tensor) -> bool:
    """Whether Muon takes it: no vector, no lookup table, no first or last layer with a handful of channels."""
    flat = parameter.flatten(1) if parameter.ndim > 1 else parameter
    return flat.ndim == 2 and min(flat.shape) >= 8 and max(flat.shape) <= 4096


class MuonAdamW(torch.optim.Optimizer):
    """Each group has an `lr`, and `muon`: whether its parameters are matrices."""

    def __init__(self, groups: Iterable[dict[str, object]]) -> None:
        super().__init__(list(groups), {"lr": 1e-3, "muon": False})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            move = self._muon if group["muon"] else self._adamw
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * DECAY)
                    move(parameter, parameter.grad, group["lr"])

    def _muon(self, parameter: Tensor, grad: Tensor, lr: float) -> None:
        state = self.state[parameter]
        momentum = state.setdefault("momentum", torch.zeros_like(parameter))
        momentum.lerp_(grad, 1 - MOMENTUM)
        matrix = grad.lerp(momentum, MOMENTUM).flatten(1)
        update = orthogonalized(matrix) * (SIZE * max(matrix.shape) ** 0.5)
        parameter.add_(update.view_as(parameter), alpha=-lr)

    def _adamw(self, parameter: Tensor, grad: Tensor, lr: float) -> None:
        state = self.state[parameter]
        if not state:
            state |= {
                "step": torch.zeros(()),
                "mean": torch.zeros_like(parameter),
                "square": torch.zeros_like(parameter),
            }
        state["step"] += 1
        state["mean"].lerp_(grad, 1 - BETAS[0])
        state["square"].lerp_(grad.square(), 1 - BETAS[1])
        count = float(state["step"])
        mean = state["mean"] / (1 - BETAS[0] ** count)
        square = state["square"] / (1 - BETAS[1] ** count)
        parameter.addcdiv_(mean, square.sqrt() + 1e-8, value=-lr)


def grouped(parameters: Iterable[Tensor], lr: float, *, muon: bool = True) -> list[dict[str, object]]:
    """Parameter groups for one learning rate."""
    chosen = list(parameters)
    if not muon:
        return [{"params": chosen, "lr": lr, "muon": False}]
    return [
        {"params": [p for p in chosen if is_matrix(p)], "lr": lr, "muon": True},
        {"params": [p for p in chosen if not is_matrix(p)], "lr": lr, "muon": False},
    ]
