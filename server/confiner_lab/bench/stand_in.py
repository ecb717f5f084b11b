# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's chains with random weights of middling size, in a folder like the hub's cache: what stands in for the
published weights where only times and bytes are wanted."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from confiner.chains import ChainSpec, WeightSource, read_chains
from confiner.chains.repositories import files_to_load, hub_parts, step_parts
from confiner.loading.pickled import convert

from ..published import Repository, read_repository, scaled_down
from ..published.layouts import COMMIT, put_into_hub_cache
from ..published.reading import NAMES
from ..published.scaled import MIDDLE

CHAINS = ("confiner-s/modelscope", "confiner-s/lavie")
FEWEST_STEPS = 1
"""Of the control expert, for which it has weights of its own."""
STYLE = "somebody/style"
"""Another image model of the same family, to swap the spatial expert for."""


@contextmanager
def middling_chains() -> Iterator[dict[str, ChainSpec]]:
    """Both chains, whose files are there as long as the context lasts."""
    with TemporaryDirectory() as folder:
        cache, built_in = Path(folder), read_chains()
        chains = {name: built_in[name] for name in CHAINS}
        parts = [part for spec in chains.values() for part in (*hub_parts(spec), step_parts(spec)[FEWEST_STEPS])]
        for name in NAMES:
            repository = scaled_down(read_repository(name), MIDDLE)
            insides = {part.inside for part in parts if part.repository.name == repository.repository}
            put_into_hub_cache(cache, _downloaded(repository, insides))
        style = scaled_down(dataclasses.replace(read_repository("stable_diffusion"), repository=STYLE), MIDDLE)
        put_into_hub_cache(cache, _downloaded(style, {"unet"}))
        convert(cache / "models--Vchitect--LaVie" / "snapshots" / COMMIT / "lavie_base.pt")
        before = os.environ.get("HF_HUB_CACHE")
        os.environ["HF_HUB_CACHE"] = folder
        try:
            yield chains
        finally:
            if before is None:
                del os.environ["HF_HUB_CACHE"]
            else:
                os.environ["HF_HUB_CACHE"] = before


def restyled(spec: ChainSpec) -> ChainSpec:
    """`spec` with another network as its spatial expert."""
    unet = WeightSource(f"{STYLE}/unet", spec.spatial.unet.base)
    return dataclasses.replace(spec, name="restyled", spatial=dataclasses.replace(spec.spatial, unet=unet))


def _downloaded(repository: Repository, insides: Collection[str]) -> Repository:
    """With no other weights than a download brings for the files and folders `insides`."""
    files = {file for inside in insides for file in files_to_load(repository.weights, inside)}
    weights = {path: part for path, part in repository.weights.items() if path in files}
    return dataclasses.replace(repository, weights=weights)
