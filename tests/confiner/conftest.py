# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain of tiny random experts, written once and loaded once for all of the library's tests."""

from __future__ import annotations

from pathlib import Path

import confiner
import pytest
import torch
from confiner.loading.chain import Chain

from tests.confiner.tiny_models import write_tiny_chain

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def chain_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chain file of the tiny experts, beside their folders."""
    return write_tiny_chain(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def chain(chain_file: Path) -> Chain:
    """The tiny experts, loaded as any others."""
    return confiner.load_chain(confiner.read_chains(chain_file)["tiny"])
