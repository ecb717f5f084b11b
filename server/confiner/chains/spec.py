# SPDX-License-Identifier: GPL-3.0-or-later
"""What a chain of experts is: three experts, one latent space, and what they may be asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from ..errors import WeightsDamaged
from .toml_lines import ChainText
from .weight_source import WeightSource


@dataclass(frozen=True)
class ScheduleSpec:
    """The noise schedule an expert was trained with, and what its output means. Never taken from a scheduler's file."""

    beta_start: float
    beta_end: float
    beta_schedule: Literal["linear", "scaled_linear"]
    prediction_type: Literal["epsilon", "v_prediction", "sample"] = "epsilon"
    zero_snr: bool = False
    train_timesteps: int = 1000


@dataclass(frozen=True)
class ExpertSpec:
    """One expert: where its parts lie, how it was trained, and what it can be asked for.

    `frames` is how many frames it takes at a time (segment or window); 1 for an image model. `frame_text` turns the
    prompt into the text of one frame, with `{prompt}` and `{moment}` = absolute frame modulo `moments`; empty where
    the expert reads one text per clip, and unused where structure frames say what happens when. `steps` lists the
    control expert's allowed step counts, empty for any; the `motion_adapter` of an expert that was distilled for each
    of them has `{steps}` in its name.
    """

    kind: str
    unet: WeightSource
    text_encoder: WeightSource
    tokenizer: WeightSource
    schedule: ScheduleSpec
    motion_adapter: WeightSource | None = None
    frames: int = 16
    guidance: Literal["none", "optional"] = "none"
    guidance_scale: float = 1.0
    frame_text: str = ""
    moments: int = 0
    steps: tuple[int, ...] = ()

    @property
    def guided(self) -> bool:
        """Whether guidance is at work, and with it a negative prompt."""
        return self.guidance == "optional" and self.guidance_scale != 1.0

    def at(self, steps: int) -> ExpertSpec:
        """The expert as it is for this many steps."""
        if self.motion_adapter is None:
            return self
        adapter = replace(self.motion_adapter, text=self.motion_adapter.text.replace("{steps}", str(steps)))
        return replace(self, motion_adapter=adapter)

    @property
    def parts(self) -> dict[str, WeightSource]:
        """Everything of the expert that must be on the machine, by its key in the chain file."""
        own = {"unet": self.unet, "text_encoder": self.text_encoder, "tokenizer": self.tokenizer}
        return own if self.motion_adapter is None else {**own, "motion_adapter": self.motion_adapter}


@dataclass(frozen=True)
class ChainSpec:
    """A chain as a chain file describes it. Sizes are `(width, height)` in pixels, `fps` is the experts' own rate.

    `freedom` and `refine_steps` hold for clips from text; `structure_freedom` and `structure_refine_steps` for clips
    from structure frames, which may need to be left much further behind. `preview` is a small decoder for pictures on
    the way, used where its weights are there.
    """

    name: str
    title: str
    control: ExpertSpec
    spatial: ExpertSpec
    temporal: ExpertSpec
    vae: WeightSource
    sizes: tuple[tuple[int, int], ...]
    fps: float
    description: str = ""
    licence: str = ""
    max_frames: int = 14_400
    hinge_noise: Literal["fresh", "shared", "predicted"] = "fresh"
    timestep_map: Literal["same", "snr"] = "same"
    freedom: int = 100
    control_steps: int = 4
    refine_steps: int = 5
    structure_freedom: int = 500
    structure_refine_steps: int = 10
    words: tuple[str, ...] = ()
    preview: WeightSource | None = None
    written: ChainText | None = field(default=None, compare=False, repr=False)

    def for_control_steps(self, steps: int | None) -> ChainSpec:
        """The chain with another number of control steps for its own; itself for None."""
        return self if steps is None else replace(self, control_steps=steps)

    def where(self, *path: str) -> str:
        """Where in the chain file the value at `path` stands, or the `source` that implies it: for sentences."""
        *tables, key = path
        table = (self.name, *tables)
        return self.written.where(table, key, "source") if self.written is not None else f"[{'.'.join(table)}] {key}"

    @property
    def experts(self) -> dict[str, ExpertSpec]:
        """The three experts by role, in the order in which a clip meets them."""
        return {"control": self.control, "spatial": self.spatial, "temporal": self.temporal}

    def refinement(self, from_structure: bool) -> tuple[int, int]:
        """The defaults of freedom and refinement steps, for clips from structure frames or from text."""
        if from_structure:
            return self.structure_freedom, self.structure_refine_steps
        return self.freedom, self.refine_steps

    @property
    def negative_prompt(self) -> bool:
        """Whether a negative prompt does anything in this chain."""
        return any(expert.guided for expert in self.experts.values())

    @property
    def named_sources(self) -> tuple[tuple[tuple[str, ...], WeightSource], ...]:
        """Everything the chain needs, with where the chain file says so; the control expert as it is by default."""
        parts = [
            ((role, part), place)
            for role, expert in self.experts.items()
            for part, place in expert.at(self.control_steps).parts.items()
        ]
        return ((("vae",), self.vae), *parts)

    @property
    def sources(self) -> tuple[WeightSource, ...]:
        """Everything that must be on the machine, each place once."""
        return tuple(dict.fromkeys(place for _, place in self.named_sources))

    @property
    def missing(self) -> str:
        """What of the chain is not on this machine, or is damaged, as a sentence; empty if it can run here."""
        damaged = list(dict.fromkeys(f"{damage.seen}: {damage.remedy}" for damage in self.damaged))
        pickled = [
            f"convert {path} once, with confiner convert" for path in map(WeightSource.pickled, self.sources) if path
        ]
        absent = _by_repository([place for place in self.sources if place.folder() is None and place.pickled() is None])
        return "; ".join(([f"not on this machine: {absent}"] if absent else []) + pickled + damaged)

    @property
    def damaged(self) -> tuple[WeightsDamaged, ...]:
        """What is wrong with each place whose weights are here and can never be loaded."""
        return tuple(damage for damage in map(self.damage_at, self.sources) if damage is not None)

    def damage_at(self, place: WeightSource) -> WeightsDamaged | None:
        """What is wrong with the weights at one of the chain's places; what came from the hub is fetched anew."""
        damage = place.damage()
        if damage is None or place.repository() is None:
            return damage
        return WeightsDamaged(damage.seen, damage.expected, f"download it again: confiner fetch {self.name}")


def _by_repository(places: list[WeightSource]) -> str:
    """Such as "./mine/unet, owner/name (unet, vae)"."""
    parts: dict[str, list[str]] = {}
    for place in places:
        repository, inside = place.repository() or (str(place), "")
        parts.setdefault(repository, []).append(inside)
    return ", ".join(name + (f" ({', '.join(inside)})" if any(inside) else "") for name, inside in parts.items())
