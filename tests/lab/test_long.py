# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of a long shot tells a real clip from seams, drift, flicker and repetition, and from a still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from confiner.generation.plan import Plan
from confiner_lab.evaluate.coarse import changes, coarse, motion, unrest
from confiner_lab.evaluate.lasting import repetition, score, wander
from confiner_lab.evaluate.long import draw_moving, watch
from confiner_lab.evaluate.long_presets import ABLATED, joint_phases, settings
from confiner_lab.evaluate.seams import hidden_seam_indices, joints, phase_profile, plain_seam_index, seam_index
from confiner_lab.judge.verdict import load_judge
from confiner_lab.world import Clip, render_clip, render_frame
from numpy.typing import NDArray

FRAMES, SPAN = 128, 16
MOVES = [
    Clip(motion="left", colour="blue", seed=3),
    Clip(motion="bounce", ground="sand", seed=4),
    Clip(camera="pan left", time="dusk", seed=5),
    Clip(motion="closer", camera="zoom out", ground="snow", seed=6),
]
Pictures = NDArray[np.uint8]


@pytest.fixture(scope="module", params=MOVES, ids=lambda clip: f"{clip.motion}, {clip.camera}")
def clip(request: pytest.FixtureRequest) -> tuple[Clip, Pictures]:
    """A real clip of four periods."""
    return request.param, render(request.param)


def render(clip: Clip, frames: int = FRAMES) -> Pictures:
    period = np.stack([render_frame(clip, index) for index in range(32)])
    return np.concatenate([period] * (frames // 32))


def flickering(frames: Pictures, amount: float, seed: int = 1) -> Pictures:
    """Each frame brighter or darker by its own amount, as weak experts draw them."""
    random = np.random.default_rng(seed)
    shifts = random.normal(0, amount, (len(frames), 4, 4, 3)).repeat(16, 1).repeat(16, 2)
    return np.clip(frames + shifts, 0, 255).astype(np.uint8)


def stepping(frames: Pictures, amount: float, phase: int, seed: int = 2) -> Pictures:
    """Every 16 frames another tint: a seam put in by hand."""
    random = np.random.default_rng(seed)
    segment = (np.arange(len(frames)) + SPAN - phase) // SPAN
    tints = random.choice([-amount, amount], (segment.max() + 1, 4, 4, 3)).repeat(16, 1).repeat(16, 2)
    return np.clip(frames + tints[segment], 0, 255).astype(np.uint8)


def index(frames: Pictures, real: Pictures, phase: int) -> float:
    return indices(frames, real, [phase])[0]


def indices(frames: Pictures, real: Pictures, phases: Iterable[int]) -> list[float]:
    """The seam index at each of the phases alone."""
    changed, really = changes(coarse(frames)), changes(coarse(real))
    return [seam_index(changed, really, joints([phase], SPAN, len(frames))) for phase in phases]


def hidden(shots: Iterable[tuple[Pictures, Pictures]]) -> list[float]:
    """The hidden seam index of each shot, all of them beside their real clips."""
    profiles = [phase_profile(changes(coarse(frames)), changes(coarse(real)), SPAN) for frames, real in shots]
    return hidden_seam_indices(np.stack(profiles)).tolist()


def test_joints_are_changes_into_frames_of_a_phase() -> None:
    assert np.flatnonzero(joints([0, 3], 16, 36)).tolist() == [2, 15, 18, 31, 34]


def test_a_real_clip_has_no_seam_at_any_phase(clip: tuple[Clip, Pictures]) -> None:
    _, real = clip
    assert indices(real, real, range(SPAN)) == pytest.approx([1.0] * SPAN, abs=0.02)


def test_flicker_is_no_seam(clip: tuple[Clip, Pictures]) -> None:
    _, real = clip
    found = [indices(flickering(real, 4, seed), real, (0, 5, 8)) for seed in range(3)]
    assert np.mean(found) == pytest.approx(1.0, abs=0.06)


def test_flicker_is_no_hidden_seam_either() -> None:
    reals = [render(each) for each in MOVES]
    assert hidden(zip(reals, reals, strict=True)) == pytest.approx([1.0] * len(MOVES), abs=0.02)
    found = [hidden((flickering(real, 4, seed + n), real) for n, real in enumerate(reals)) for seed in range(0, 12, 4)]
    assert np.mean(found) == pytest.approx(1.0, abs=0.06)


def test_moments_that_only_one_shot_has_are_no_hidden_seam() -> None:
    """A shot that changes more whenever its ball comes down is not taken for one with joints there."""
    profiles = np.ones((4, SPAN))
    profiles[np.arange(4), [3, 7, 9, 12]] = 1.5
    assert hidden_seam_indices(profiles).tolist() == [1.0] * 4
    assert np.isnan(hidden_seam_indices(profiles[:1])).all()


@pytest.mark.parametrize("phase", [0, 5, 8])
def test_a_seam_put_in_by_hand_is_found(clip: tuple[Clip, Pictures], phase: int) -> None:
    _, real = clip
    seamed = stepping(flickering(real, 2), 24, phase)
    assert index(seamed, real, phase) > 1.25
    assert index(seamed, real, (phase + 4) % SPAN) < 1.2
    assert index(stepping(flickering(real, 2), 16, phase), real, phase) < index(seamed, real, phase)


def test_a_seam_is_found_without_being_told_where() -> None:
    reals = [render(each) for each in MOVES]
    assert min(hidden((stepping(flickering(real, 2), 16, 11), real) for real in reals)) > 1.25


def test_the_plain_figure_finds_the_seam_but_takes_flicker_at_rest_for_one_too() -> None:
    """A camera that pans rests where it turns, which is where segments meet."""
    real = render(MOVES[2])
    at = joints([0], SPAN, FRAMES)
    found = [
        plain_seam_index(changes(coarse(frames)), changes(coarse(real)), at)
        for frames in (real, flickering(real, 2), stepping(flickering(real, 2), 16, 0))
    ]
    assert found[0] == pytest.approx(1.0)
    assert 1.5 < found[1] < found[2] / 1.5


def test_neither_noise_nor_a_still_is_taken_for_a_real_clip(clip: tuple[Clip, Pictures]) -> None:
    """They hide seams; motion and flicker tell on them."""
    _, real = clip
    still = np.repeat(real[:1], FRAMES, axis=0)
    noise = np.random.default_rng(7).integers(0, 256, real.shape, dtype=np.uint8)
    assert motion(coarse(still)) == 0.0 < motion(coarse(real))
    assert unrest(coarse(noise)) > 2 * unrest(coarse(real))
    assert np.isfinite([index(still, real, 0), *hidden([(still, real), (noise, real)]), index(noise, real, 0)]).all()


def test_a_clip_that_does_not_move_as_much_is_found_by_its_motion(clip: tuple[Clip, Pictures]) -> None:
    meant, real = clip
    slow = np.stack([render_frame(meant, index // 2) for index in range(64)])
    assert motion(coarse(slow)) < 0.75 * motion(coarse(real))


def test_drift_is_a_loss_of_score(clip: tuple[Clip, Pictures]) -> None:
    meant, real = clip
    judge = load_judge()
    other = render(replace(meant, colour="yellow", ground="concrete"), 32)
    fading = [np.uint8(real[:16] * (1 - part) + other[:16] * part) for part in (0.0, 0.5, 1.0)]
    scores = [score(judge, frames, meant, 0) for frames in fading]
    assert scores[0].probability > 0.9
    assert scores[0].probability > scores[1].probability > scores[2].probability
    assert scores[0].probability > scores[2].probability + 0.2
    assert scores[0].log > scores[1].log > scores[2].log


def test_a_later_part_of_a_real_clip_scores_as_the_first(clip: tuple[Clip, Pictures]) -> None:
    meant, real = clip
    judge = load_judge()
    lost = [
        score(judge, real[:16], meant, 0) - score(judge, real[start : start + 16], meant, start)
        for start in (8, 40, 112)
    ]
    assert max(abs(each.probability) for each in lost) < 0.1


def test_repetition_is_told_from_a_real_clip() -> None:
    """The world comes round in two segments, so neighbours differ; a segment again and again does not."""
    real = render(MOVES[0])
    assert repetition(coarse(np.concatenate([real[:16]] * 8)), SPAN) > repetition(coarse(real), SPAN) + 0.2
    noise = np.random.default_rng(7).integers(0, 256, real.shape, dtype=np.uint8)
    assert abs(repetition(coarse(noise), SPAN)) < 0.1
    assert repetition(coarse(real[:32]), SPAN) == 0.0


def test_a_world_that_does_not_come_back_as_it_was_wanders() -> None:
    real = render(MOVES[2])
    assert wander(coarse(real)) == 0.0
    assert wander(coarse(stepping(real, 10, 0))) > 1.0


def test_prompts_are_of_clips_that_move() -> None:
    drawn = draw_moving(12, 0, width=64, height=64)
    assert len({each.prompt for each in drawn}) == 12
    assert all((each.meant.motion, each.meant.camera) != ("still", "static") for each in drawn)
    assert draw_moving(4, 0, width=64, height=64) == drawn[:4]


def test_a_shot_is_looked_at_as_it_comes() -> None:
    real = render_clip(MOVES[0], 40)
    seen = watch(iter([(real[:9], 10), (real[9:30], 30), (real[30:], 20)]), 40)
    assert np.array_equal(seen.first, real[:16])
    assert np.array_equal(seen.last, real[24:])
    assert np.array_equal(seen.pictures, coarse(real))
    assert len(seen.shown) == 16
    assert np.array_equal(seen.shown[-1], real[-1])
    assert seen.live_bytes == 30
    assert seen.resident_bytes > real.nbytes
    assert 0 < seen.first_seconds <= seen.seconds


def _plan(**changes: object) -> Plan:
    steps = {"rule": "coordinated", "freedom": 250, "control_steps": 4, "refine_steps": 5}
    return Plan(chain="", weights={}, **{**steps, **changes})  # type: ignore[arg-type]


def test_joints_are_where_segments_and_windows_meet() -> None:
    assert joint_phases(_plan(), SPAN) == {0, 8, 5, 2, 15, 12}
    assert joint_phases(_plan(overlap=True), SPAN) == {0, 8, 5, 2, 15, 12, 4}
    assert joint_phases(_plan(windows="fixed"), SPAN) == {0, 8}
    assert joint_phases(_plan(windows="aligned"), SPAN) == {0}


def test_each_ablation_leaves_out_what_it_says() -> None:
    for base in ("default", "paper"):
        whole = settings(base)(_plan())
        for name in ABLATED[base][1:]:
            left_out = settings(name)(_plan())
            changed = {key for key, value in left_out.to_json().items() if value != whole.to_json()[key]}
            expected = {
                "consistency": {"initial_noise"},
                "coherence": {"coherence"},
                "staggering": {"windows", "overlap", "edges"},
            }
            strategy = name.rpartition(" ")[2]
            assert changed <= set().union(*expected.values()) if strategy == "any" else changed <= expected[strategy]
            assert changed
