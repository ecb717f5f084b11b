# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's chains with random weights of middling size, in a folder like the hub's cache: what stands in for the
published weights where only times and bytes are wanted."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from confiner.chains import ChainSpec, Place, read_chains
from confiner.pickled import convert

from ..published import Repository, read_repository, scaled_down
from ..published.layouts import COMMIT, put_into_hub_cache
from ..published.reading import NAMES
from ..published.scaled import MIDDLE

CHAINS = ("confiner-s/modelscope", "confiner-s/lavie")
STYLE = "somebody/style"
"""Another image model of the same family, to swap the spatial expert for."""


@contextmanager
def middling_chains() -> Iterator[dict[str, ChainSpec]]:
    """Both chains, whose files are there as long as the context lasts."""
    with TemporaryDirectory() as folder:
        cache = Path(folder)
        repositories = [scaled_down(read_repository(name), MIDDLE) for name in NAMES]
        style = dataclasses.replace(repositories[0], repository=STYLE)
        for repository in (*repositories, style):
            put_into_hub_cache(cache, _loaded_files_only(repository))
        convert(cache / "models--Vchitect--LaVie" / "snapshots" / COMMIT / "lavie_base.pt")
        before = os.environ.get("HF_HUB_CACHE")
        os.environ["HF_HUB_CACHE"] = folder
        try:
            built_in = read_chains()
            yield {name: built_in[name] for name in CHAINS}
        finally:
            if before is None:
                del os.environ["HF_HUB_CACHE"]
            else:
                os.environ["HF_HUB_CACHE"] = before


def restyled(spec: ChainSpec) -> ChainSpec:
    """`spec` with another network as its spatial expert."""
    unet = Place(f"{STYLE}/unet", spec.spatial.unet.base)
    return dataclasses.replace(spec, name="restyled", spatial=dataclasses.replace(spec.spatial, unet=unet))


def _loaded_files_only(repository: Repository) -> Repository:
    """What a download brings: weights in half precision where they are published so; the control expert's for 1 and 4
    steps alone."""
    left_out = {path.replace(".fp16.", ".") for path in repository.weights if ".fp16." in path}
    others = ("_2step_", "_8step_", "v1-5-pruned")
    weights = {
        path: part
        for path, part in repository.weights.items()
        if path not in left_out and not any(words in path for words in others)
    }
    return dataclasses.replace(repository, weights=weights)
