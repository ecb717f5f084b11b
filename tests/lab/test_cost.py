# SPDX-License-Identifier: GPL-3.0-or-later
"""What the networks cost at full size, counted without weights: `confiner bench cost`."""

import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from confiner_cli.main import main

FORWARD = {
    "stable-diffusion/512": 12.9,
    "animatediff/512": 17.8,
    "modelscope/512": 20.8,
    "lavie/512": 13.7,
    "stable-diffusion/256": 2.9,
    "animatediff/256": 4.1,
    "modelscope/256": 4.9,
    "lavie/256": 3.1,
}


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what the command printed and wrote."""
    folder = tmp_path_factory.mktemp("cost")
    with (folder / "table.txt").open("w", encoding="utf-8") as table, redirect_stdout(table):
        assert main(["bench", "cost", "--json", str(folder / "cost.json")]) == 0
    return folder


@pytest.fixture(scope="module")
def cost(figures: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((figures / "cost.json").read_text(encoding="utf-8"))
    return held


@pytest.mark.parametrize("name", FORWARD)
def test_a_forward_pass_costs_what_it_is_known_to(cost: dict[str, Any], name: str) -> None:
    assert cost["tflop_per_forward"][name] == pytest.approx(FORWARD[name], rel=0.01)


def test_nine_steps_are_nineteen_evaluations(cost: dict[str, Any]) -> None:
    assert cost["evaluations_per_clip"]["confiner-9/modelscope"] == 19
    assert cost["evaluations_per_clip"]["confiner-9-cfg/modelscope"] == 34
    assert cost["evaluations_per_clip"]["modelscope-100-cfg"] == 200


def test_a_clip_costs_the_sum_of_its_passes(cost: dict[str, Any]) -> None:
    clips, forward = cost["tflop_per_clip"], cost["tflop_per_forward"]
    by_hand = 4 * forward["animatediff/512"] + 10 * forward["stable-diffusion/512"] + 5 * forward["modelscope/512"]
    assert clips["confiner-9/modelscope/512"] == pytest.approx(by_hand, rel=1e-3)
    assert clips["confiner-9/modelscope/512"] == pytest.approx(304, rel=0.01)
    assert clips["confiner-18/modelscope/512"] == pytest.approx(2 * clips["confiner-9/modelscope/512"], rel=1e-3)
    assert clips["lavie-100-cfg/320x512"] == pytest.approx(200 * forward["lavie/320x512"], rel=1e-3)


def test_the_tenth_is_answered_in_its_four_ways(cost: dict[str, Any], figures: Path) -> None:
    percents = list(cost["tenth_claim_percent"].values())
    assert percents == pytest.approx([7.3, 14.6, 12.9, 25.8], rel=0.01)
    table = (figures / "table.txt").read_text(encoding="utf-8")
    assert "7.3 %" in table
    assert "confiner-9-cfg/lavie" in table
