# SPDX-License-Identifier: GPL-3.0-or-later
"""How much there is to download, in words."""

from __future__ import annotations

from ..protocol.weights import RUNNING, ChainWeights, FetchState


def amount(count: int) -> str:
    """Bytes as disks and the hub give them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def fraction(state: FetchState) -> float:
    """The part that is here, 0 to 1."""
    return state.received / state.total if state.total else 0.0


def sentence(state: FetchState) -> str:
    """A download in progress, such as "1.2 of 6.5 GB, 31.0 MB/s, 3 min left"."""
    if state.state == RUNNING and not state.total:
        return "Asking the hub …"
    words = [f"{amount(state.received)} of {amount(state.total)}"]
    if state.speed:
        words.append(f"{state.speed / 1e6:.1f} MB/s")
    if state.eta is not None:
        words.append(f"{state.eta / 60:.0f} min left" if state.eta >= 90 else f"{state.eta:.0f} s left")
    return ", ".join(words)


def summary(weights: ChainWeights) -> str:
    """What a chain's weights are to somebody who wants to use it."""
    if not weights.parts:
        return "Weights come with the sidecar, or lie in folders of yours"
    if not weights.missing():
        return "Weights are here"
    about = f"about {amount(weights.download)}" if weights.download else "the hub says how much"
    return f"To download: {about}"
