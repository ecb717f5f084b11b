# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of torch a machine gets: the package index has one for each system, and it is seldom the right one.

There Windows gets torch for the CPU alone, whatever card it has, and Linux the libraries of CUDA, gigabytes of them,
whether it has a card or not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ...protocol.cards import Card

CPU = "cpu"
BY_DRIVER = "auto"
FOR_OLDER_CARDS = "cu126"
"""The last builds with kernels for Maxwell, Pascal and Volta."""
NEWER_CARDS = (7, 5)
OLDEST_CARDS = (5, 0)
OLDEST_DRIVER = (452, 39)
"""The first driver that can run a torch which the sidecar can use."""
CUDA_12 = {"win32": (528, 33), "linux": (525, 60, 13)}
"""The first driver that can run every torch with CUDA 12."""


@dataclass(frozen=True)
class TorchBuild:
    """A build by the name that uv has for it, or "" for the package index's own, and in words why.

    `driver` is the version by which uv shall choose if the name is "auto".
    """

    backend: str
    reason: str
    driver: str = ""

    @property
    def with_cuda(self) -> bool:
        """Whether it brings the libraries of CUDA."""
        return self.backend not in ("", CPU)


def torch_build(cards: Sequence[Card], system: str = sys.platform) -> TorchBuild:
    """The build for a machine with these `cards`, the most capable first, under the `system` that Python names so."""
    if system == "darwin":
        return TorchBuild("", "torch for macOS, which can use Apple's GPU")
    if not cards:
        return TorchBuild(CPU, "no NVIDIA card with a working driver: torch for the CPU")
    card = cards[0]
    driver = tuple(int(part) for part in card.driver.split(".") if part)
    capability = "" if card.capability is None else f", capability {card.capability[0]}.{card.capability[1]}"
    seen = f"{card.name}{capability}, driver {card.driver}"
    if card.capability is not None and card.capability < OLDEST_CARDS:
        return TorchBuild(CPU, f"{seen}: too old a card for torch with CUDA, so torch for the CPU")
    if driver < OLDEST_DRIVER:
        remedy = "update the driver, then install again"
        return TorchBuild(CPU, f"{seen}: too old a driver for torch with CUDA, so torch for the CPU ({remedy})")
    if card.capability is not None and card.capability < NEWER_CARDS and driver >= CUDA_12.get(system, (525, 60, 13)):
        return TorchBuild(FOR_OLDER_CARDS, f"{seen}: torch with CUDA 12.6, the last for such cards")
    return TorchBuild(BY_DRIVER, f"{seen}: torch with the CUDA that this driver can run", card.driver)
