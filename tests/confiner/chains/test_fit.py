# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain that cannot work is refused before any weights are read: with the line to correct, and what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confiner.chains import ChainSpec, read_chains, read_file
from confiner.chains.compatibility import check_chain
from confiner.errors import ChainError, ChainFileError, ConfinerError, WeightsMissing

from tests.confiner.tiny_models import NO_TENSORS

Edit = Callable[[Path], None]


@pytest.fixture
def folder(chain_file: Path, tmp_path: Path) -> Path:
    """The tiny experts' configurations, and weights without a tensor: reading those would fail."""
    copy = tmp_path / "copy"
    shutil.copytree(chain_file.parent, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    for weights in chain_file.parent.rglob("*.safetensors"):
        (copy / weights.relative_to(chain_file.parent)).write_bytes(NO_TENSORS)
    return copy


def chain_of(folder: Path) -> ChainSpec:
    return read_file(folder / "chains.toml")["tiny"]


def replaced(before: str, after: str) -> Edit:
    def edit(folder: Path) -> None:
        file = folder / "chains.toml"
        assert before in file.read_text()
        file.write_text(file.read_text().replace(before, after, 1))

    return edit


def configured(path: str, **values: Any) -> Edit:
    def edit(folder: Path) -> None:
        file = folder / path
        held = json.loads(file.read_text()) if file.exists() else {}
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({**held, **values}))

    return edit


def removed(path: str) -> Edit:
    return lambda folder: shutil.rmtree(folder / path)


def pickled(folder: Path) -> None:
    replaced('source = "./temporal"', 'source = "./temporal"\nunet = "./lavie_base.pt"')(folder)
    (folder / "lavie_base.pt").touch()


def line(folder: Path, start: str, after: str) -> int:
    """The line that starts with `start`, behind the table `after`."""
    lines = (folder / "chains.toml").read_text().splitlines()
    begin = lines.index(after)
    return next(number for number, text in enumerate(lines, 1) if number > begin and text.startswith(start))


@pytest.mark.parametrize(
    ("edit", "kind", "table", "start", "words", "remedy"),
    [
        (
            replaced("frames = 16\nframe_text", "framez = 16\nframe_text"),
            ChainFileError,
            "[tiny.control]",
            "framez",
            "the unknown key 'framez'; expected 'frames'",
            "correct the chain file",
        ),
        (
            removed("temporal/unet"),
            WeightsMissing,
            "[tiny.temporal]",
            "source",
            "no ./temporal/unet on this machine",
            "name another place",
        ),
        (
            configured("spatial/unet/config.json", in_channels=9),
            ChainError,
            "[tiny.spatial]",
            "source",
            "a network for 9 latent channels; expected 4",
            "name other parts",
        ),
        (
            replaced('linear", prediction_type = "v_prediction" }', 'linear", prediction_type = "epsilon" }'),
            ChainError,
            "[tiny.temporal]",
            "schedule",
            "prediction_type 'epsilon'; expected 'v_prediction'",
            "correct the chain file",
        ),
        (pickled, WeightsMissing, "[tiny.temporal]", "unet", "lavie_base.pt, a pickled file", "confiner convert"),
        (
            replaced('source = "./temporal"', 'source = "./temporal"\ntext_encoder = "./control/text_encoder"'),
            ChainError,
            "[tiny.temporal]",
            "text_encoder",
            "a text encoder of width 16; expected 24",
            "name other parts",
        ),
        (
            replaced("frames = 16\nframe_text", "frames = 40\nframe_text"),
            ChainError,
            "[tiny.control]",
            "frames",
            "frames = 40; expected at most 32",
            "correct the chain file",
        ),
        (
            replaced("[48, 32]", "[50, 32]"),
            ChainError,
            "[tiny]",
            "sizes",
            "a size of 50×32; expected multiples of 4",
            "correct the chain file",
        ),
        (
            replaced('kind = "modelscope"', 'kind = "lavie"'),
            ChainError,
            "[tiny.temporal]",
            "source",
            "a UNet3DConditionModel as the network; expected a LaVieUNet",
            "name other parts",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_misfit_names_its_line_and_remedy(
    folder: Path, edit: Edit, kind: type[ConfinerError], table: str, start: str, words: str, remedy: str
) -> None:
    configured("temporal/scheduler/scheduler_config.json", prediction_type="v_prediction")(folder)
    check_chain(chain_of(folder))
    edit(folder)
    with pytest.raises(kind) as refused:
        check_chain(chain_of(folder))
    assert f"chains.toml, line {line(folder, start, table)}, {table[:-1]}" in str(refused.value)
    assert words in str(refused.value)
    assert remedy in refused.value.remedy


def test_a_configuration_that_is_no_json_is_explained(folder: Path) -> None:
    (folder / "spatial" / "unet" / "config.json").write_text("{")
    with pytest.raises(ChainError, match=r"unet/config\.json.*the configuration of a network"):
        check_chain(chain_of(folder))


def test_missing_weights_of_the_hub_come_with_the_command_that_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    spec = read_chains()["confiner-s/modelscope"]
    with pytest.raises(WeightsMissing) as refused:
        check_chain(spec)
    assert "confiner fetch confiner-s/modelscope" in refused.value.remedy
    lightning = "ByteDance/AnimateDiff-Lightning (animatediff_lightning_4step_diffusers.safetensors)"
    assert lightning in spec.missing
