# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands behind the figures: what they print and write, and what they refuse before they start."""

import json


def test_bench_clip_prints_and_writes_the_stages(confiner, tmp_path):
    done = confiner("bench", "clip", "--runs", 1, "--json", tmp_path / "clip.json")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "clip.json").read_text(encoding="utf-8"))
    assert figures["evaluations"] == 4 + 3 * 5
    stages = figures["seconds"]
    assert sum(stages[name] for name in ("control", "refine", "decode")) <= stages["clip"] * 1.001
    assert stages["clip"] < 20
    assert "19 model evaluations" in done.stdout


def test_figures_that_could_not_be_written_are_refused_before_the_work(confiner, tmp_path):
    done = confiner("bench", "clip", "--json", tmp_path / "none" / "clip.json")
    assert done.returncode == 2
    assert "make the folder first" in done.stderr
    assert done.stdout == ""


def test_structure_wants_a_blender(confiner, tmp_path):
    done = confiner("evaluate", "structure", "--blender", tmp_path / "python")
    assert done.returncode == 2
    assert "name a Python that can import bpy" in done.stderr
