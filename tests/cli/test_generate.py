# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner generate` makes clips that can be made again, and refuses in one sentence what cannot be made."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from confiner import ClipRequest, FramesDone, generate, load_chain, resolve_plan, take_record
from confiner.chains import find_chain, read_chains
from confiner.generation.take_record import frame_hash
from confiner.memory.choice import MemoryChoice
from confiner_cli.generate import _verify
from PIL import Image

PROMPT = "a red cube moves left on grass at noon, wearing a hat"


@pytest.fixture(scope="module")
def take(confiner, tmp_path_factory):
    """One take on disk, and the process that made it."""
    folder = tmp_path_factory.mktemp("takes") / "first"
    done = confiner("generate", PROMPT, "-o", folder, "--seed", 7, "--sheet", "--movie")
    assert done.returncode == 0, done.stderr
    return folder, done


def frames_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("frame_*.png"))]


def pictures_of(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("frame_*.png"))])


def test_a_take_is_frames_a_record_and_what_was_asked_for_beside_them(take):
    folder, _ = take
    assert sorted(path.name for path in folder.iterdir()) == [
        "clip.mp4",
        *(f"frame_{number:04d}.png" for number in range(1, 17)),
        "sheet.png",
        "take.json",
    ]
    assert pictures_of(folder).shape == (16, 64, 64, 3)
    record = json.loads((folder / "take.json").read_text(encoding="utf-8"))
    assert record["request"]["prompt"] == PROMPT
    assert record["request"]["seed"] == 7
    assert len(record["frames"]) == 16
    assert record["weights"]


def test_a_take_names_nothing_of_the_machine_it_was_made_on(take):
    folder, _ = take
    text = (folder / "take.json").read_text(encoding="utf-8")
    assert str(Path.home()) not in text
    assert str(folder) not in text


def test_progress_and_unknown_words_go_to_standard_error(take):
    _, done = take
    assert "has never read: wearing, hat" in done.stderr
    assert "control 4/4" in done.stderr
    assert "refine 5/5  100%  0 s left" in done.stderr
    assert done.stdout.startswith("16 frames in ")


def test_another_process_makes_the_same_bytes(take, confiner, tmp_path):
    done = confiner("generate", PROMPT, "-o", tmp_path / "again", "--seed", 7, "--json")
    assert done.returncode == 0, done.stderr
    assert frames_of(tmp_path / "again") == frames_of(take[0])
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events].count("frames") == 4
    assert events[-1]["record"] == json.loads((take[0] / "take.json").read_text(encoding="utf-8"))


def test_a_take_is_made_again_from_its_record_and_found_the_same(take, confiner, tmp_path):
    done = confiner("generate", "--take", take[0] / "take.json", "-o", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert "same: every frame is identical" in done.stderr
    assert frames_of(tmp_path / "again") == frames_of(take[0])


def test_a_part_that_was_kept_is_made_again_and_no_more_than_that(take, confiner, tmp_path):
    record = json.loads((take[0] / "take.json").read_text(encoding="utf-8"))
    part = tmp_path / "part" / "take.json"
    part.parent.mkdir()
    part.write_text(json.dumps({**record, "frames": record["frames"][:6], "kept": 6}), encoding="utf-8")
    done = confiner("generate", "--take", part, "-o", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert "same: every frame is identical" in done.stderr
    assert frames_of(tmp_path / "again") == frames_of(take[0])[:6]
    assert json.loads((tmp_path / "again" / "take.json").read_text(encoding="utf-8")) == json.loads(part.read_text())


def test_a_take_holds_its_precision_where_memory_would_choose_another(confiner, tmp_path):
    chain = load_chain(find_chain(read_chains(), "bundled"), memory=MemoryChoice("bfloat16", "none", decode_frames=1))
    request = ClipRequest(prompt="a red cube", num_frames=3, width=64, height=64, refine_steps=2)
    plan = resolve_plan(request, chain)
    frames = [
        frame for event in generate(request, chain, plan) if isinstance(event, FramesDone) for frame in event.frames
    ]
    (tmp_path / "take.json").write_text(
        json.dumps(take_record(request, chain, plan, [frame_hash(frame) for frame in frames])), encoding="utf-8"
    )
    done = confiner("generate", "--take", tmp_path / "take.json", "-o", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert "same: every frame is identical" in done.stderr


def test_a_take_that_came_out_otherwise_is_said_to_differ(capsys):
    record = {"frames": ["a", "b"], "versions": {"torch": "1"}}
    assert _verify(record, {**record, "frames": ["a", "c"]}) == 1
    assert "different" in capsys.readouterr().err
    assert _verify(record, {"frames": ["a", "c"], "versions": {"torch": "2"}}) == 0
    assert "comparable, not identical: made with torch 1 → 2" in capsys.readouterr().err


def test_a_take_of_two_prompts_goes_on_as_it_began(confiner, tmp_path):
    few = ("--control-steps", 1, "--refine-steps", 2, "--rule", "temporal")
    first, then = "a red cube moves left on grass", ("--then", 24, "a blue sphere on sand", "--crossover", 8)
    made = confiner("generate", first, *then, "--frames", 36, *few, "-o", tmp_path / "short")
    assert made.returncode == 0, made.stderr
    record = json.loads((tmp_path / "short" / "take.json").read_text(encoding="utf-8"))
    assert record["request"]["stretches"] == [{"start": 24, "prompt": "a blue sphere on sand"}]
    assert record["request"]["crossover"] == 8
    done = confiner("generate", "--take", tmp_path / "short", "--frames", 44, "-o", tmp_path / "long")
    assert done.returncode == 0, done.stderr
    assert "same: it begins with the first 15 of the take's 36 frames" in done.stderr
    assert len(frames_of(tmp_path / "long")) == 44
    assert frames_of(tmp_path / "long")[:15] == frames_of(tmp_path / "short")[:15]
    more = confiner("generate", "--take", tmp_path / "short", "--then", 30, "a cone", "-o", tmp_path / "no")
    assert more.returncode == 2
    assert "for a take that has prompts of its own" in more.stderr
    fewer = confiner("generate", "--take", tmp_path / "short", "--frames", 20, "-o", tmp_path / "no")
    assert fewer.returncode == 2
    assert "20 frames of a take of 36, expected no fewer" in fewer.stderr


def test_structure_frames_lend_the_clip_their_length_and_size(take, confiner, tmp_path):
    for path in sorted(take[0].glob("frame_*.png"))[:5]:
        shutil.copy(path, tmp_path / path.name)
    out = tmp_path / "out"
    done = confiner("generate", "a blue cube on sand at noon", "--structure", tmp_path, "-o", out, "--refine-steps", 2)
    assert done.returncode == 0, done.stderr
    assert pictures_of(out).shape == (5, 64, 64, 3)
    record = json.loads((out / "take.json").read_text(encoding="utf-8"))
    assert record["structure"]
    refused = confiner("generate", "--take", out, "-o", tmp_path / "again")
    assert refused.returncode == 2
    assert "name their folder with --structure" in refused.stderr
    for number, path in enumerate(sorted(tmp_path.glob("frame_*.png")), start=1):
        shutil.copy(path, out / f"structure_{number:04d}.png")
    again = confiner("generate", "--take", out, "-o", tmp_path / "again")
    assert "same: every frame is identical" in again.stderr


def test_a_take_is_never_written_over_by_another(take, confiner):
    before = frames_of(take[0])
    done = confiner("generate", "a blue sphere on sand", "-o", take[0])
    assert done.returncode == 2
    assert "holds the frames of another take" in done.stderr
    assert frames_of(take[0]) == before


@pytest.mark.parametrize(
    ("words", "seen", "remedy"),
    [
        ([""], "an empty prompt", "describe the shot"),
        (["  "], "an empty prompt", "describe the shot"),
        (["a cube", "--then", "x", "a cone"], "--then x 'a cone', expected a frame's number", "such as --then 81"),
        (["a cube", "--then", 16, "a cone"], "prompt 2 from frame 16 on, in a clip of 16 frames", "within the clip"),
        (["a cube", "--crossover", -1], "a cross-over of -1 frames", "set it to 16"),
        (["a cube", "--frames", 0], "0 frames", "change the shot's length"),
        (["a cube", "--chain", "bundeld"], "the chain 'bundeld'", "did you mean 'bundled'?"),
        (["a cube", "--width", 65], "a size of 65×64", "choose one of these sizes"),
        (["a cube", "--rule", "none"], "the rule 'none'", "choose one of these rules"),
        (["a cube", "--freedom", 1000], "a freedom of 1000", "set it to"),
        (["a cube", "--seed", -1], "seed -1", "choose another seed"),
        (["a cube", "--fps", 0], "fps 0", "set the clip rate"),
        (["a cube", "--structure", "nowhere"], "no pictures in nowhere", "put the structure frames there"),
        (["--take", "nowhere"], "nowhere is no record of a take", "name a take.json"),
        (["a cube", "--chains", "nowhere.toml"], "nowhere.toml", "correct the file"),
        (["a cube", "--device", "cuda:99"], "the device 'cuda:99'", "choose one of these devices"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(confiner, tmp_path, words, seen, remedy):
    out = tmp_path / "out"
    done = confiner("generate", *words, "-o", out)
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert first.startswith("confiner: ")
    assert seen in first
    assert remedy in second
    assert not out.exists()


def test_structure_frames_of_the_wrong_count_or_mixed_sizes_are_refused(confiner, tmp_path):
    for number in range(3):
        Image.new("RGB", (64, 64)).save(tmp_path / f"frame_{number}.png")
    counted = confiner("generate", "a cube", "--structure", tmp_path, "--frames", 4, "-o", tmp_path / "out")
    assert counted.returncode == 2
    assert "3 structure frames of 64×64; expected 4 of 64×64" in counted.stderr
    Image.new("RGB", (64, 32)).save(tmp_path / "frame_3.png")
    mixed = confiner("generate", "a cube", "--structure", tmp_path, "-o", tmp_path / "out")
    assert mixed.returncode == 2
    assert "structure frames of one size" in mixed.stderr


def test_a_movie_says_which_matrix_its_colours_stand_in(tmp_path):
    import imageio_ffmpeg
    from confiner_cli.take_folder import write_movie

    frames = np.zeros((4, 48, 64, 3), np.uint8)
    frames[:, :, :32], frames[:, :, 32:] = (230, 40, 20), (20, 160, 220)
    write_movie(tmp_path / "clip.mp4", list(frames), 8)
    program = imageio_ffmpeg.get_ffmpeg_exe()
    told = subprocess.run([program, "-hide_banner", "-i", tmp_path / "clip.mp4"], check=False, capture_output=True)
    assert b"bt709" in told.stderr
    read = ["-frames:v", "1", "-vf", "scale=in_color_matrix=bt709,format=rgb24", "-f", "rawvideo", "-"]
    done = subprocess.run([program, "-v", "error", "-i", tmp_path / "clip.mp4", *read], check=True, capture_output=True)
    shown = np.frombuffer(done.stdout, np.uint8).reshape(48, 64, 3).astype(int)
    assert np.abs(shown - frames[0])[:, 4:28].max() <= 4
    assert np.abs(shown - frames[0])[:, 36:60].max() <= 4
