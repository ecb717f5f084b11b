# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a shot, said before it costs anything."""

from dataclasses import replace

import pytest

from confiner_blender.protocol.messages import ChainInfo
from confiner_blender.storyboard.clip_timing import Timing
from confiner_blender.storyboard.remarks import blocking, nearest_size, remarks, unknown_words, unread
from confiner_blender.storyboard.shot_request import shot_request
from confiner_blender.storyboard.shot_values import Shot, Stretch

SHOT = Shot(
    uuid="1",
    prompt="a red cube",
    negative_prompt="",
    timing=Timing(48, 8, "RATE", 24),
    width=64,
    height=64,
    seed=1,
    chain="small",
    rule="coordinated",
    freedom=None,
    control_steps=None,
    refine_steps=None,
    structure="NONE",
)
CHAIN = ChainInfo(
    name="small",
    title="Small experts",
    description="",
    licence="",
    sizes=[[64, 64], [112, 64]],
    fps=8,
    max_frames=16,
    negative_prompt=False,
    default_freedom=400,
    default_structure_freedom=600,
    words=["a", "red", "cube"],
)
CHAINS = {"small": CHAIN}


def test_a_sound_shot_gives_no_remark() -> None:
    assert remarks(SHOT, CHAINS) == []


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"prompt": "  "}, "prompt", "say what is seen"),
        ({"timing": Timing(0, 8, "RATE", 24)}, "length", "no frames"),
        ({"chain": "large"}, "chain", "choose small"),
        ({"timing": Timing(96, 8, "RATE", 24)}, "length", "at most 16"),
        ({"width": 72}, "size", "72 × 64"),
        ({"stretches": (Stretch(24, " "),)}, "stretches", "from frame 25 on is empty"),
        ({"stretches": (Stretch(25, "a cube"), Stretch(24, "red"))}, "stretches", "with the one before it"),
        ({"stretches": (Stretch(2, "a cube"),)}, "stretches", "from frame 3 on begins with the one before it"),
    ],
)
def test_what_cannot_be_generated_is_said_by_its_field(changes: dict[str, object], field: str, said: str) -> None:
    remark = blocking(remarks(replace(SHOT, **changes), CHAINS))
    assert remark is not None
    assert remark.field == field
    assert said in remark.message


def test_remarks_carry_their_remedy_as_values() -> None:
    (remark,) = remarks(replace(SHOT, timing=Timing(96, 8, "RATE", 24)), CHAINS)
    assert remark.fix == (("length", 48),)
    (remark,) = remarks(replace(SHOT, width=192, height=108), CHAINS)
    assert dict(remark.fix) == {"width": 112, "height": 64}


def test_what_a_chain_ignores_is_said_and_does_not_block() -> None:
    found = remarks(replace(SHOT, negative_prompt="rain", prompt="a red dragon"), CHAINS)
    assert [remark.field for remark in found] == ["negative_prompt", "prompt"]
    assert "dragon" in found[1].message
    assert blocking(found) is None


def test_a_chain_that_cannot_run_says_why() -> None:
    chains = {"small": replace(CHAIN, missing="its weights are not on this machine")}
    remark = blocking(remarks(SHOT, chains))
    assert remark is not None
    assert "its weights are not on this machine" in remark.message


def test_before_the_sidecar_has_listed_its_chains_only_the_shot_itself_is_judged() -> None:
    assert remarks(replace(SHOT, chain="large", width=1), {}) == []


def test_unknown_words_are_named_once_and_only_where_a_chain_lists_its_words() -> None:
    assert unknown_words("A dragon, a RED dragon-cube", ["a", "red", "cube"]) == ["dragon"]
    assert unknown_words("anything", []) == []


def test_the_nearest_size_is_of_the_nearest_aspect() -> None:
    assert nearest_size(1920, 1080, [[64, 64], [112, 64]]) == (112, 64)
    assert nearest_size(500, 480, [[64, 64], [128, 128], [512, 512]]) == (512, 512)


def test_a_prompt_behind_the_shots_end_is_left_out_and_said_to_be() -> None:
    shot = replace(SHOT, stretches=(Stretch(48, "a cube"),))
    (remark,) = remarks(shot, CHAINS)
    assert (remark.field, remark.blocking) == ("stretches", False)
    assert "from frame 49 on is never seen" in remark.message
    assert shot_request(shot) == shot_request(SHOT)


def test_the_words_of_later_prompts_are_looked_up_too() -> None:
    (remark,) = remarks(replace(SHOT, stretches=(Stretch(24, "a purple cube"),)), CHAINS)
    assert remark.message == "Not known to Small experts: purple"


def test_a_rule_that_is_not_there_keeps_the_shot_back():
    found = remarks(replace(SHOT, rule=""), CHAINS)
    assert blocking(found).field == "rule"
    assert "install" in blocking(found).message


def test_what_is_not_read_is_said_by_the_prompt_and_does_not_block() -> None:
    (remark,) = unread(("the prompt is too long to be read whole: no expert reads “at noon”",))
    assert (remark.field, remark.blocking) == ("prompt", False)
    assert remark.message == "The prompt is too long to be read whole: no expert reads “at noon”"
