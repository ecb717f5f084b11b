# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments by which a command names a chain, a device, and the user's own chain file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiner import Chain, ChainSpec

DEFAULT_CHAIN = "bundled"


def add_chain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--chain", default=DEFAULT_CHAIN, metavar="NAME", help=f"expert chain (default: {DEFAULT_CHAIN})"
    )
    add_file_argument(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")


def add_size_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size", type=parse_size, metavar="WIDTHxHEIGHT", help="in pixels (default: the chain's first)"
    )


def parse_size(text: str) -> tuple[int, int]:
    """Width and height out of "112x64"."""
    return _pair(text, "x", "width and height in pixels, as 112x64")


def parse_steps(text: str) -> tuple[int, int]:
    """Steps of the control expert and of the refinement (T1, T2) out of "4+5"."""
    return _pair(text, "+", "control and refinement steps, as 4+5")


def _pair(text: str, mark: str, expected: str) -> tuple[int, int]:
    first, _, second = text.partition(mark)
    if not (first.isdecimal() and second.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r}; expected {expected}")
    return int(first), int(second)


def add_file_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--chains", type=Path, metavar="FILE", help="your own chains (TOML), beside the built-in ones")


def read_spec(name: str, file: Path | None) -> ChainSpec:
    """The chain called `name`, from the built-in ones and the user's file."""
    from confiner.chains import find_chain, read_chains

    return find_chain(read_chains(file), name)


def load(spec: ChainSpec, device: str, plan: dict[str, Any] | None = None, dtype: str | None = None) -> Chain:
    """The chain's experts on the device called `device`, fitted into the memory that is there.

    `plan`, as JSON values, is one to be replayed: it holds precision and decoding. `dtype` is a precision asked for.
    """
    from confiner import load_chain
    from confiner.chains.compatibility import check_chain
    from confiner.memory.choice import choose, machine_with, of_plan
    from confiner.memory.device import find_device
    from confiner.memory.estimate import chain_sizes

    place = find_device(device)
    check_chain(spec)
    like = None if plan is None else of_plan(plan)
    return load_chain(spec, device=place, memory=choose(machine_with(place), chain_sizes(spec), like=like, dtype=dtype))
