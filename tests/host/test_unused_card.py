# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel says that a card is left unused, with the button that mends it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.simulated_card import RTX_4090, path_with, write_nvidia_smi

from .conftest import Script

pytestmark = pytest.mark.blender


@pytest.mark.parametrize("card", ["", RTX_4090])
def test_the_panel_says_that_a_card_is_left_unused(
    in_blender: Script, sidecar_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: str
) -> None:
    asked = [sidecar_python, "-c", "import torch; print(torch.version.cuda)"]
    if subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() != "None":
        pytest.skip("the torch of this machine was built with CUDA")
    monkeypatch.setenv("PATH", path_with(write_nvidia_smi(tmp_path / "driver", *filter(None, [card]))))
    said = in_blender("unused_card.py", sidecar=str(sidecar_python))
    assert said["looked"]
    sentence = "There is an NVIDIA card (NVIDIA GeForce RTX 4090, driver 560.35.03), but this torch"
    assert (sentence in said["text"]) is bool(card)
    assert ("confiner.install_sidecar" in said["buttons"]) is bool(card)
    assert ("Install the sidecar again" in said["text"]) is bool(card)
