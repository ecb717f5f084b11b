# SPDX-License-Identifier: GPL-3.0-or-later
"""The control messages about the chains' weights on the hub: what there is, and downloading it.

    client → sidecar   ListWeights · FetchWeights · StopFetching
    sidecar → client   Weights · FetchState

Every client hears of every download, of its latest state only; one that lists weights hears of those under way too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .problem import Problem

RUNNING, DONE, STOPPED, FAILED = "running", "done", "stopped", "failed"


@dataclass(frozen=True)
class WeightsPart:
    """What a chain takes from one place on the hub. `size` is about how many bytes that are, None if not known here.

    `terms` is what a person has to accept, empty where nothing is asked; `pickled` the file that one has to allow by
    its name, empty where there is none. `steps` is the number of control steps that alone needs it, 0 for any.
    """

    repository: str
    inside: str
    there: bool
    size: int | None = None
    licence: str = ""
    terms: str = ""
    accepted: bool = False
    pickled: str = ""
    steps: int = 0


@dataclass(frozen=True)
class ChainWeights:
    """A chain's parts on the hub, none if it needs none. `download` is about how many bytes are still missing.

    `step_parts` are those that other numbers of control steps than the chain's own need beside these.
    """

    chain: str
    download: int | None
    parts: list[WeightsPart] = field(default_factory=list)
    step_parts: list[WeightsPart] = field(default_factory=list)

    def missing(self, control_steps: int = 0) -> list[WeightsPart]:
        """What is not here of all that the chain needs, for this many control steps (0: its own number)."""
        wanted = [*self.parts, *(part for part in self.step_parts if part.steps == control_steps)]
        return [part for part in wanted if not part.there]


# --- client → sidecar ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListWeights:
    """Ask for Weights."""


@dataclass(frozen=True)
class FetchWeights:
    """Download what a chain lacks, for `control_steps` (None: its own number). `accepted` are repositories whose terms
    the person has accepted just now, which is remembered; `pickled` the pickled files that the person allows."""

    chain: str
    accepted: list[str] = field(default_factory=list)
    pickled: list[str] = field(default_factory=list)
    control_steps: int | None = None


@dataclass(frozen=True)
class StopFetching:
    """Stop a chain's download; what has come is kept."""

    chain: str


# --- sidecar → client ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weights:
    """What each chain needs from the hub, and what of it is here."""

    chains: list[ChainWeights]


@dataclass(frozen=True)
class FetchState:
    """How a chain's download stands. `state` is one of running, done, stopped, failed; only a failed one has a problem.

    `received` of `total` bytes are here, `speed` is in bytes a second, `eta` in seconds, None if unknown.
    """

    chain: str
    state: str
    file: str = ""
    received: int = 0
    total: int = 0
    speed: float = 0.0
    eta: float | None = None
    problem: Problem | None = None
