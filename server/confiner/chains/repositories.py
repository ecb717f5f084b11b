# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a repository on the hub without asking it, and which of its files a chain loads."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .spec import ChainSpec
from .weight_source import PICKLED, WeightSource

KNOWN = Path(__file__).with_name("repositories.toml")
PERMISSIVE = ("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "cc0-1.0")
"""Licences that ask nothing of whoever uses a model, by the names that the hub has for them."""

CONFIGURATIONS = ("config.json", "tokenizer_config.json", "scheduler_config.json")
MODELS = ("model", "diffusion_pytorch_model")
"""How diffusers and transformers call the weights in a folder."""


@dataclass(frozen=True)
class Repository:
    """A repository, as far as it is known here. `terms` is what a person has to accept; `weights` are bytes by file."""

    name: str
    licence: str = ""
    terms: str = ""
    weights: Mapping[str, int] = field(default_factory=dict, compare=False)

    def size(self, inside: str) -> int | None:
        """About how many bytes are downloaded for the file or folder `inside`; None if that is not known here."""
        if self.weights and PurePosixPath(inside).name == "tokenizer":
            return 0  # a megabyte, which no such figure would show
        folder = f"{inside}/" if inside else ""
        found = [size for file, size in self.weights.items() if file == inside or file.startswith(folder)]
        return sum(found) if found else None


@dataclass(frozen=True)
class Part:
    """What a chain takes from the hub for one of its parts. `path` is where the chain file says so, for sentences.

    The chain runs without an `optional` one.
    """

    path: tuple[str, ...]
    place: WeightSource
    repository: Repository
    inside: str
    optional: bool = False

    @property
    def there(self) -> bool:
        """Whether it is here and whole; what is damaged is to be downloaded again."""
        return self.place.folder() is not None and self.place.damage() is None

    @property
    def pickled(self) -> str:
        """The file that a person has to name before it is downloaded; empty if there is none."""
        return PurePosixPath(self.inside).name if PurePosixPath(self.inside).suffix in PICKLED else ""


def known_repository(name: str) -> Repository:
    """What this package knows of the repository `name`: nothing but the name, if it is not in the list."""
    return _known().get(name, Repository(name))


def hub_parts(spec: ChainSpec) -> list[Part]:
    """The chain's parts that come from the hub, each place once, the control expert as it is by default."""
    found: dict[WeightSource, Part] = {}
    optional = ((("preview",), spec.preview),) if spec.preview is not None else ()
    for path, place in (*spec.named_sources, *optional):
        if (repository := place.repository()) is not None and place not in found:
            found[place] = Part(path, place, known_repository(repository[0]), repository[1], path == ("preview",))
    return list(found.values())


def step_parts(spec: ChainSpec) -> dict[int, Part]:
    """By number of control steps, other than the chain's own: what alone of its parts on the hub is needed for it."""
    usual = set(hub_parts(spec))
    others = {steps: hub_parts(spec.for_control_steps(steps)) for steps in spec.control.steps}
    return {steps: part for steps, parts in others.items() for part in parts if part not in usual}


def download_size(spec: ChainSpec) -> int | None:
    """About how many bytes are still to be downloaded for the chain; None if that is not known here."""
    sizes = [part.repository.size(part.inside) for part in hub_parts(spec) if not part.there]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def files_to_load(names: Iterable[str], inside: str) -> list[str]:
    """Which of a repository's files make up the part `inside`, in the order in which they are to be downloaded.

    Weights are safetensors, in half precision where that is published, else what is pickled. A configuration comes
    last: a folder that has it is whole. An expert's network brings the scheduler's configuration beside it.
    """
    names = list(names)
    if inside in names:
        return [inside]
    here = [name for name in names if str(PurePosixPath(name).parent) == (inside or ".")]
    small = [name for name in here if name.endswith((".json", ".txt")) and ".index." not in name]
    if not inside:
        small = [name for name in small if name in CONFIGURATIONS]
    if PurePosixPath(inside).name == "unet":
        beside = PurePosixPath(inside).parent / "scheduler" / "scheduler_config.json"
        small += [name for name in names if name == str(beside)]
    return _weights(here) + sorted(small, key=lambda name: (PurePosixPath(name).name in CONFIGURATIONS, name))


def _weights(names: list[str]) -> list[str]:
    tensors = [name for name in names if name.endswith(".safetensors")]
    usual = [name for name in tensors if PurePosixPath(name).name.split(".")[0].split("-")[0] in MODELS]
    tensors = usual or tensors
    half = [name for name in tensors if _variant(name) == "fp16"]
    return half or [name for name in tensors if _variant(name) == ""] or _pickled(names)


def _pickled(names: list[str]) -> list[str]:
    """Where there are no safetensors: the plain one of the pickled files."""
    return sorted((name for name in names if PurePosixPath(name).suffix in PICKLED), key=len)[:1]


def _variant(name: str) -> str:
    """Such as "fp16" in `model.fp16.safetensors` and in `model.fp16-00001-of-00002.safetensors`."""
    middle = PurePosixPath(name).name.split(".")[1:-1]
    return middle[0].split("-")[0] if middle else ""


@functools.cache
def _known() -> dict[str, Repository]:
    tables = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
    return {name: Repository(name, **table) for name, table in tables.items()}
