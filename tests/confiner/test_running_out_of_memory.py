# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that ran out is recognised, and answered with what needs less."""

from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import torch
from confiner.errors import OutOfMemory
from confiner.loading.chain import Chain
from confiner.memory.choice import MemoryChoice
from confiner.memory.out_of_memory import is_out_of_memory, out_of_memory_reported, smaller_clip


def test_torchs_own_words_are_recognised() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**55, dtype=torch.uint8)
    assert is_out_of_memory(error.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())


def _reported(chain: Chain, width: int) -> AbstractContextManager[None]:
    return out_of_memory_reported(chain.spec, chain.device, chain.memory, num_frames=2, width=width, height=32)


def test_other_errors_are_not_taken_for_it(chain: Chain) -> None:
    with pytest.raises(RuntimeError) as error:
        torch.zeros(2) @ torch.zeros(3)
    assert not is_out_of_memory(error.value)
    with pytest.raises(RuntimeError, match="as it was"), _reported(chain, 32):
        raise RuntimeError("as it was")


def test_the_next_cheaper_setting_is_offered(chain: Chain) -> None:
    seen = "cpu did not suffice for 2 frames of 48×32"
    with pytest.raises(OutOfMemory, match=seen) as told, _reported(chain, 48):
        torch.empty(2**55, dtype=torch.uint8)
    assert "frames one by one" in told.value.remedy
    assert "32×32" in told.value.remedy
    last = replace(chain, memory=MemoryChoice("bfloat16", "none", 1, vae_tiling=True))
    with pytest.raises(OutOfMemory) as told, _reported(last, 48):
        raise torch.OutOfMemoryError("CUDA out of memory")
    assert told.value.remedy == "choose 32×32, the next smaller size of this chain"


def test_where_nothing_is_smaller_another_chain_is_offered(chain: Chain) -> None:
    assert "a chain with smaller experts" in smaller_clip(chain.spec, 32, 32)
