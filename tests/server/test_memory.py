# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that ran out is recognised, and answered with what needs less."""

import pytest
import torch
from confiner.chains import read_chains
from confiner_server.worker.memory import is_out_of_memory, memory_in_use, out_of_memory


def test_torchs_own_words_are_recognised():
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**55, dtype=torch.uint8)
    assert is_out_of_memory(error.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())


def test_other_errors_are_not_taken_for_it():
    with pytest.raises(RuntimeError) as error:
        torch.zeros(2) @ torch.zeros(3)
    assert not is_out_of_memory(error.value)


def test_the_remedy_is_the_next_smaller_size_if_there_is_one(chain_file, shot):
    spec = read_chains(chain_file)["double"]
    large, small = (out_of_memory(shot(width=size, height=size), spec, "cuda") for size in (32, 16))
    assert "16×16" in large.remedy
    assert "32×32" in large.message
    assert "×" not in small.remedy
    assert small.remedy


def test_weights_that_two_modules_share_are_counted_once():
    shared = torch.nn.Linear(100, 10, bias=False)
    modules = [torch.nn.Sequential(shared), torch.nn.Sequential(shared, torch.nn.Linear(10, 1, bias=False))]
    used = memory_in_use(torch.device("cpu"), modules)
    assert used["weights"] == 4 * (1000 + 10)
    assert used["resident"] > used["weights"]
