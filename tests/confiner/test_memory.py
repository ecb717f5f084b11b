# SPDX-License-Identifier: GPL-3.0-or-later
"""Which precision, what rests and how frames are decoded follows from the memory that is there, by machine."""

import dataclasses
from pathlib import Path

import pytest
import torch
from confiner.chains import read_chains
from confiner.generation.plan import resolve_plan
from confiner.generation.request import ClipRequest
from confiner.loading.chain import Chain
from confiner.memory.choice import Machine, MemoryChoice, Sizes, cheaper, choose, explain, machine_with, roomy
from confiner.memory.estimate import chain_sizes

GIB = 2**30
CONFINER_S = Sizes(weights=3_270_000_000, largest=1_411_200_000, activation=697_000_000, decode_frame=201_000_000)
"""The paper's chain with ModelScope, as it is published, at 512 × 512."""

TABLE = [
    ("cpu", 64, MemoryChoice("float32", "none", 4)),
    ("cpu", 24, MemoryChoice("float32", "none", 4)),
    ("cpu", 16, MemoryChoice("bfloat16", "none", 4)),
    ("cpu", 4, MemoryChoice("bfloat16", "none", 1, vae_tiling=True)),
    ("cuda", 80, MemoryChoice("float16", "none", 8)),
    ("cuda", 24, MemoryChoice("float16", "none", 8)),
    ("cuda", 12, MemoryChoice("float16", "none", 8)),
    ("cuda", 10, MemoryChoice("float16", "none", 4)),
    ("cuda", 8, MemoryChoice("float16", "model", 8)),
    ("cuda", 6, MemoryChoice("float16", "model", 8)),
    ("cuda", 4, MemoryChoice("float16", "group", 4)),
    ("cuda", 2, MemoryChoice("float16", "group", 1, vae_tiling=True)),
    ("mps", 32, MemoryChoice("float16", "none", 8)),
    ("mps", 16, MemoryChoice("float16", "none", 8)),
    ("mps", 8, MemoryChoice("float16", "none", 1, vae_tiling=True)),
]


@pytest.mark.parametrize(("kind", "gibibytes", "expected"), TABLE, ids=lambda value: str(value))
def test_the_choice_by_machine(kind: str, gibibytes: int, expected: MemoryChoice) -> None:
    assert choose(Machine(kind, gibibytes * GIB), CONFINER_S) == expected


@pytest.mark.parametrize("kind", ["cpu", "cuda", "mps"])
def test_every_step_down_needs_less_until_nothing_is_left(kind: str) -> None:
    machine = Machine(kind, 10**15)
    choice, needs = choose(machine, CONFINER_S), []
    while choice is not None:
        needs.append(choice.bytes_needed(CONFINER_S))
        choice = cheaper(machine.kind, choice)
    assert needs[-1] == min(needs)
    assert len(needs) > 3


def test_a_choice_that_failed_is_not_taken_again() -> None:
    machine = Machine("cuda", 80 * GIB)
    first = choose(machine, CONFINER_S)
    assert choose(machine, CONFINER_S, below=first) == cheaper(machine.kind, first) != first
    last = MemoryChoice("float16", "group", 1, vae_tiling=True)
    assert choose(machine, CONFINER_S, below=last) == last
    assert cheaper(machine.kind, last) is None


def test_what_changes_floats_is_held_by_a_plan_and_the_rest_is_chosen_anew() -> None:
    held = MemoryChoice("float16", "none", 8)
    assert choose(Machine("cuda", 80 * GIB), CONFINER_S, like=held) == held
    assert choose(Machine("cuda", 6 * GIB), CONFINER_S, like=held) == dataclasses.replace(held, offload="model")
    assert choose(Machine("cpu", 64 * GIB), CONFINER_S, like=held).dtype == "float16"


def test_a_machine_knows_what_memory_is_left() -> None:
    there = machine_with(torch.device("cpu"))
    assert there.kind == "cpu"
    assert 0 < there.memory < 2**50


def test_the_choice_is_stated_with_its_figures() -> None:
    machine = Machine("cuda", 6 * GIB)
    said = explain(machine, CONFINER_S, choose(machine, CONFINER_S))
    assert said.startswith("float16, networks take turns on the device, 8 frames decoded together")
    assert "6.4 GB there" in said
    small = Machine("cpu", GIB)
    assert "may not suffice" in explain(small, CONFINER_S, choose(small, CONFINER_S))


def test_a_chains_sizes_are_those_of_its_loaded_weights(chain_file: Path, chain: Chain) -> None:
    """Read from the files alone; equal networks in different folders count twice there."""
    sizes = chain_sizes(read_chains(chain_file)["tiny"])
    networks = [chain.space.vae, *(part for each in chain.experts.values() for part in (each.unet, each.text.model))]
    distinct = {part: sum(value.numel() for value in part.state_dict().values()) for part in networks}
    assert sizes.weights == pytest.approx(sum(distinct.values()), rel=0.01)
    assert sizes.largest == pytest.approx(max(distinct[each.unet] for each in chain.experts.values()), rel=0.01)


def test_precision_and_decoding_are_in_the_plan(chain: Chain) -> None:
    request = ClipRequest(prompt="a", num_frames=2, width=32, height=32)
    plan = resolve_plan(request, chain)
    assert (plan.dtype, plan.decode_frames, plan.vae_tiling) == ("float32", 4, False)
    tiled = dataclasses.replace(chain, memory=MemoryChoice("float32", "none", 1, vae_tiling=True))
    assert resolve_plan(request, tiled).vae_tiling
    assert roomy("cpu", "float32") == chain.memory
