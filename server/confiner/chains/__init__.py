# SPDX-License-Identifier: GPL-3.0-or-later
"""Expert chains: what they are, where they are named, and what they can be asked for. Pure Python, no torch."""

from .chain_file import BUILT_IN, find_chain, read_chains, read_file
from .request_checks import check_request
from .spec import ChainSpec, ExpertSpec, ScheduleSpec
from .vocabulary import unknown_words
from .weight_source import WeightSource

__all__ = [
    "BUILT_IN",
    "ChainSpec",
    "ExpertSpec",
    "ScheduleSpec",
    "WeightSource",
    "check_request",
    "find_chain",
    "read_chains",
    "read_file",
    "unknown_words",
]
