# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Blender renders the grey boxes, and says truly where they are."""

from pathlib import Path

import numpy as np
import pytest
from confiner_lab.evaluate.paths import PATHS, points
from confiner_lab.evaluate.tracker import path_correlation, track
from confiner_lab.evaluate.workbench import BlenderMissing, find_blender, render_structure


@pytest.mark.blender
def test_the_tracker_finds_every_path_that_blender_rendered(blender_python: Path) -> None:
    shapes = ["cube", "sphere", "cone", "cylinder"] * 2
    clips = render_structure(blender_python, list(PATHS), shapes, num_frames=16, width=64, height=64)
    assert [clip.frames.shape for clip in clips] == [(16, 64, 64, 3)] * len(PATHS)
    for clip in clips:
        assert path_correlation(track(clip.frames), clip.truth) > 0.95, clip.path


@pytest.mark.blender
def test_the_frames_are_grey_and_the_solid_is_where_blender_says(blender_python: Path) -> None:
    (clip,) = render_structure(blender_python, ["to the left"], ["sphere"], num_frames=4, width=112, height=64)
    assert clip.frames.shape == (4, 64, 112, 3)
    assert np.ptp(clip.frames.astype(int), axis=-1).max() <= 10
    for frame, (x, y) in zip(clip.frames, clip.truth, strict=True):
        assert frame[int(y), int(x)].mean() > frame[60, 4].mean() + 10


def test_every_path_moves_further_than_a_solid_is_wide() -> None:
    assert len(PATHS) >= 8
    for name in PATHS:
        across = [x / y for x, y, _ in points(name, 16)]
        assert max(across) - min(across) > 0.35, name


def test_a_missing_blender_is_a_sentence_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFINER_BLENDER_PYTHON", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BlenderMissing, match="found no Blender"):
        find_blender(None)
    with pytest.raises(BlenderMissing, match="no interpreter"):
        find_blender(str(tmp_path / "python"))


def test_a_python_without_bpy_is_named(sidecar_python: Path) -> None:
    with pytest.raises(BlenderMissing, match="bpy"):
        render_structure(sidecar_python, ["around"], ["cube"], num_frames=2, width=64, height=64)
