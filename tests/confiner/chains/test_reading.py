# SPDX-License-Identifier: GPL-3.0-or-later
"""Chain files: what they say is what one gets, and every mistake is named with its place and remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from confiner.chains import ChainSpec, find_chain, read_chains, read_file
from confiner.errors import ChainFileError, UnknownChain

from tests.confiner.tiny_models import NO_TENSORS

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def text(chain_file: Path) -> str:
    return chain_file.read_text()


def _read(tmp_path: Path, text: str) -> ChainSpec:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return read_file(path)["tiny"]


def test_a_source_stands_for_the_parts_below_it(chain_file: Path) -> None:
    spec = read_chains(chain_file)["tiny"]
    assert spec.name == "tiny"
    assert spec.control.unet.folder() == chain_file.parent / "control" / "unet"
    assert spec.temporal.tokenizer.folder() == chain_file.parent / "temporal" / "tokenizer"
    assert spec.sizes == ((32, 32), (48, 32))
    assert (spec.control.guided, spec.spatial.guided, spec.negative_prompt) == (False, True, True)
    assert spec.refinement(from_structure=False) == (300, 5)
    assert spec.refinement(from_structure=True) == (500, 6)
    assert not spec.missing


def test_a_users_file_adds_to_the_built_in_chains_and_may_replace_them(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("[tiny", "[bundled"))
    assert read_chains(path)["bundled"].title == "Tiny random experts"
    assert read_chains()["bundled"].title != "Tiny random experts"


def test_what_is_not_there_is_missed_by_name(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    spec = _read(tmp_path, text.replace('"./spatial"', '"somebody/model"'))
    assert "somebody/model (unet, text_encoder, tokenizer)" in spec.missing
    assert "./control/unet" in spec.missing
    snapshot = tmp_path / "hub" / "models--somebody--model" / "snapshots" / "abc"
    for part in ("unet", "text_encoder", "tokenizer"):
        (snapshot / part).mkdir(parents=True)
    assert "somebody/model (unet, text_encoder, tokenizer)" in spec.missing, "the configuration comes last"
    (snapshot / "tokenizer" / "tokenizer_config.json").touch()
    for part in ("unet", "text_encoder"):
        (snapshot / part / "model.safetensors").write_bytes(NO_TENSORS)
        (snapshot / part / "config.json").touch()
    assert "somebody" not in spec.missing
    assert spec.spatial.unet.folder() == snapshot / "unet"


def test_an_unknown_chain_is_answered_with_the_names_there_are(chain_file: Path) -> None:
    with pytest.raises(UnknownChain, match="bundled") as caught:
        find_chain(read_chains(chain_file), "bundeld")
    assert caught.value.remedy == "did you mean 'bundled'?"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("fps = 8\n", "fps = 8\nfreedon = 9\n", r"\[tiny\].*unknown key 'freedon'.*'freedom'"),
        ("fps = 8\n", "", r"\[tiny\].*no fps.*a number"),
        ("fps = 8\n", 'fps = "8"\n', r"\[tiny\].*fps = '8'.*a number"),
        ("freedom = 300\n", "freedom = 3.5\n", r"freedom = 3.5.*a whole number"),
        ("[[32, 32], [48, 32]]", "[32, 32]", r"sizes"),
        ('vae = "./spatial/vae"\n', "", r"\[tiny\].*no vae"),
        ('kind = "modelscope"', 'kind = "modelscop"', r"\[tiny.temporal\].*kind = 'modelscop'.*'modelscope'"),
        ('source = "./control"\n', "", r"\[tiny.control\].*no unet"),
        (
            'prediction_type = "v_prediction" }',
            'prediction_type = "v" }',
            r"\[tiny.temporal.schedule\].*'v_prediction'",
        ),
        ("guidance_scale = 2.0", 'guidance_scale = 2.0\nguidance = "none"', r"mine.toml: Cannot overwrite"),
        ('guidance = "optional"\n', "", r"\[tiny.spatial\].*guidance_scale = 2"),
        ("moments = 32\n", "", r"\[tiny.control\].*\{moment\}"),
        (
            'source = "./temporal"\n',
            'source = "./temporal"\nframe_text = "{moment}"\nmoments = 3\n',
            r"one text per clip",
        ),
        ("[tiny.temporal]", "[tiny.temporl]", r"\[tiny.temporal\].*nothing"),
        ("[tiny]", "[tiny", r"mine.toml"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, tmp_path: Path, before: str, after: str, words: str) -> None:
    assert before in text
    with pytest.raises(ChainFileError, match=words) as caught:
        _read(tmp_path, text.replace(before, after, 1))
    assert caught.value.remedy


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChainFileError, match=r"absent\.toml"):
        read_chains(tmp_path / "absent.toml")


def test_a_chain_like_another_differs_in_what_it_says(chain_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nlike = "confiner-s/modelscope"\nfps = 12\n[mine.spatial]\nsource = "./style"\n')
    mine, other = read_file(path)["mine"], read_chains()["confiner-s/modelscope"]
    assert (mine.name, mine.title, mine.fps) == ("mine", "mine", 12)
    assert mine.spatial.unet.text == "./style/unet"
    assert mine.spatial.schedule == other.spatial.schedule
    assert str(mine.temporal.unet) == str(other.temporal.unet)
    assert (mine.sizes, mine.control.steps) == (other.sizes, other.control.steps)


@pytest.mark.parametrize("name", ["nobody", "mine", "yours"])
def test_a_chain_cannot_be_like_one_that_is_not_there_or_like_itself(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'[mine]\nlike = "{name}"\n[yours]\nlike = "mine"\n')
    with pytest.raises(ChainFileError, match=r"mine.toml, line 2, \[mine\]: like = .*bundled"):
        read_file(path)


def test_the_readmes_example_is_a_chain_file(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    path = tmp_path / "mine.toml"
    path.write_text(example, encoding="utf-8")
    chain = read_file(path)["my-style"]
    assert chain.spatial.unet.text.endswith(".safetensors")
    assert chain.control.unet == chain.spatial.unet
