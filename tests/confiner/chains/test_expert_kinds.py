# SPDX-License-Identifier: GPL-3.0-or-later
"""An expert kind from a package outside the library: one file, and a chain can name it, load it and be planned for."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import confiner
import pytest
import torch
from confiner.chains import expert_kinds
from confiner.chains.expert_kinds import BUILT_IN, EXPERT_KINDS, ExpertKind
from confiner.errors import ChainFileError
from confiner.registry import Registry

CHAIN = """
[theirs]
like = "bundled"

[theirs.spatial]
kind = "mirrored"
"""


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with an adapter that runs an image network on mirrored latents, as pip would leave it."""
    (tmp_path / "mirrored_expert.py").write_text(
        textwrap.dedent("""
            from confiner.chains.expert_kinds import ExpertKind
            from confiner.experts.stable_diffusion import StableDiffusionExpert

            class Mirrored(StableDiffusionExpert):
                def run(self, latents, timestep, embeds):
                    return super().run(latents.flip(-1), timestep, embeds).flip(-1)

            KIND = ExpertKind("mirrored", "mirrored_expert:Mirrored", "diffusers:UNet2DConditionModel", True, 8321)
        """)
    )
    metadata = tmp_path / "mirrored_expert-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mirrored-expert\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[confiner.experts]\nmirrored = mirrored_expert:KIND\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mirrored_expert", raising=False)
    registry = Registry(ExpertKind, EXPERT_KINDS.group, BUILT_IN)
    monkeypatch.setitem(vars(EXPERT_KINDS), "_found", registry._found)


def read(tmp_path: Path, text: str = CHAIN) -> confiner.ChainSpec:
    (tmp_path / "chains.toml").write_text(text)
    return confiner.read_chains(tmp_path / "chains.toml")["theirs"]


def test_a_kind_from_another_package_makes_a_clip(tmp_path: Path, mirrored: None) -> None:
    theirs, ours = confiner.load_chain(read(tmp_path)), confiner.load_chain(confiner.read_chains()["bundled"])
    assert type(theirs.spatial).__name__ == "Mirrored"
    latents = torch.randn((1, 4, 2, 16, 16), generator=torch.Generator().manual_seed(1))
    read_by = {chain: chain.spatial.read("a red cube").at(range(2)) for chain in (theirs, ours)}
    mirrored = theirs.spatial.predict(latents, 300, read_by[theirs]).x0
    plain = ours.spatial.predict(latents.flip(-1), 300, read_by[ours]).x0.flip(-1)
    torch.testing.assert_close(mirrored, plain)


def test_an_unknown_kind_is_named_with_its_line_and_the_kinds_there_are(tmp_path: Path) -> None:
    with pytest.raises(ChainFileError, match=r"line 6.*kind = 'mirrored'; expected one of 'animatediff', .*'lavie'"):
        read(tmp_path)


def test_kinds_name_classes_that_exist() -> None:
    for kind in expert_kinds.BUILT_IN:
        assert kind.network_class().__name__ == kind.network_names[0]
        assert kind.adapter_class().__mro__[1].__name__ == "Expert"


def test_a_record_without_one_of_its_fields_is_told(tmp_path: Path, mirrored: None) -> None:
    assert replace(BUILT_IN[0], name="other").name == "other"
    with pytest.raises(TypeError, match="values_alive"):
        ExpertKind("other", "a:B", "c:D", text_per_frame=True)  # type: ignore[call-arg]
