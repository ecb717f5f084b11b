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


def test_long_shots_are_refused_before_the_work(confiner):
    short = confiner("evaluate", "long", "--frames", 32, 64)
    assert short.returncode == 2
    assert "a shot of 32 frames; expected 48 or more" in short.stderr
    unknown = confiner("evaluate", "long", "--presets", "papers")
    assert unknown.returncode == 2
    assert "the preset 'papers'; expected one of default, paper, freenoise" in unknown.stderr


def test_evaluate_long_writes_every_preset_and_length(confiner, tmp_path):
    out = tmp_path / "long.json"
    words = ("--frames", 48, "--seeds", 1, "--workers", 1, "--presets", "freenoise", "--json", out)
    done = confiner("evaluate", "long", *words, "--plot", tmp_path / "plot.png", "--sheet", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    figures = json.loads(out.read_text(encoding="utf-8"))["freenoise"]["48"]
    assert {"seam_index", "drift", "motion_ratio", "seconds_per_frame", "live_bytes", "intervals"} <= figures.keys()
    assert "seam_index" in done.stdout
    assert (tmp_path / "plot.png").exists()
    assert (tmp_path / "sheet.png").exists()
