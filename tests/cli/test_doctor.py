# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner doctor` finds what is there, and says what to do about what is not."""

import json
from pathlib import Path

import pytest
from confiner_cli import doctor

from confiner_blender.protocol import rendezvous
from tests.simulated_card import RTX_4090, path_with, write_nvidia_smi


def test_a_whole_installation_passes(confiner, tmp_path):
    done = confiner("doctor", "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("everything needed is there\n")
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["ok"]
    names = {finding["name"] for finding in found["findings"]}
    assert names >= {
        "python",
        "torch",
        "device",
        "memory",
        "ffmpeg",
        "chain bundled",
        "runtime folder",
        "disk",
        "sidecar",
    }


def test_a_missing_package_fails_with_the_line_that_installs_it():
    finding = doctor._package("no-such-package")
    assert finding.failed
    assert finding.remedy.endswith("-m pip install no-such-package")
    assert "MISSING  no-such-package" in doctor.describe(finding)


def test_a_card_that_this_torch_was_not_built_for_is_said_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("torch.version.cuda", None)
    monkeypatch.setenv("PATH", path_with(write_nvidia_smi(tmp_path / "none")))
    assert list(doctor._unused_card()) == []
    monkeypatch.setenv("PATH", path_with(write_nvidia_smi(tmp_path / "one", RTX_4090)))
    (finding,) = doctor._unused_card()
    assert finding.seen.startswith(
        "there is an NVIDIA card (NVIDIA GeForce RTX 4090, driver 560.35.03), but this torch"
    )
    assert finding.seen.endswith("was built without CUDA")
    assert "Install the Sidecar" in finding.remedy
    assert "--torch-backend auto --reinstall-package torch" in finding.remedy
    assert not finding.failed, "clips can be made all the same"
    monkeypatch.setattr("torch.version.cuda", "12.9")
    assert list(doctor._unused_card()) == []


def test_a_chain_file_with_a_mistake_fails_with_its_place(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text("[mine\n", encoding="utf-8")
    (finding,) = doctor._chains(file)
    assert finding.failed
    assert "mine.toml" in finding.seen


def test_a_folder_that_cannot_be_made_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", encoding="utf-8")
    monkeypatch.setenv(rendezvous.HOME_VARIABLE, str(in_the_way))
    folders = {finding.name: finding for finding in doctor._folders()}
    assert folders["runtime folder"].failed
    assert "cannot be written" in folders["runtime folder"].remedy


def test_a_sidecar_that_is_gone_is_not_said_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(rendezvous.HOME_VARIABLE, str(tmp_path))
    assert doctor._sidecar().fine is None
    left_over = rendezvous.Connection("127.0.0.1", 1, "token", 1, 1, "0")
    rendezvous.runtime_folder().mkdir(parents=True)
    rendezvous.connection_file().write_text(rendezvous.write_text(left_over), encoding="utf-8")
    assert doctor._sidecar().fine is False
    assert "nobody answers" in doctor._sidecar().seen
