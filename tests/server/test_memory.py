# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker says how much memory it uses."""

import torch
from confiner_server.worker.memory_use import memory_in_use


def test_weights_that_two_modules_share_are_counted_once():
    shared = torch.nn.Linear(100, 10, bias=False)
    modules = [torch.nn.Sequential(shared), torch.nn.Sequential(shared, torch.nn.Linear(10, 1, bias=False))]
    used = memory_in_use(torch.device("cpu"), modules)
    assert used["weights"] == 4 * (1000 + 10)
    assert used["resident"] > used["weights"]
