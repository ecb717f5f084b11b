# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights that are none, or give no numbers, as a user meets them: every command says what is wrong and goes on."""

import json
import math
import shutil
from pathlib import Path

import pytest

from tests.confiner.broken_weights import BROKEN, spoil
from tests.confiner.damaged_files import DAMAGES
from tests.confiner.tiny_models import CHAIN_FILE, write_tiny_chain

DAMAGED = ("empty", "web page", "pointer", "cut in its tensors", "header of 2**62 bytes", "no JSON", "beyond the end")
UNET = "spatial/unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def chains(tmp_path_factory) -> Path:
    """A chain file with a chain for each kind of damage, one whose decoder gives no numbers, one of odd settings."""
    folder = tmp_path_factory.mktemp("chains")
    whole = write_tiny_chain(folder / "tiny").parent
    text = ""
    for name in (*DAMAGED, "decoder", "odd", "tiny"):
        own = folder / name
        if name != "tiny":
            shutil.copytree(whole, own)
        text += CHAIN_FILE.replace("[tiny", f'["{name}"').replace('"./', f'"./{name}/')
    for name in DAMAGED:
        (folder / name / UNET).write_bytes(DAMAGES[name][0]((whole / UNET).read_bytes()))
    spoil(folder / "decoder" / BROKEN["decoder"].file, BROKEN["decoder"].tensor, math.nan)
    (folder / "odd" / "spatial" / "vae" / "config.json").write_text('{"block_out_channels": 3}', encoding="utf-8")
    file = folder / "chains.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_doctor_and_chains_say_it_beside_each_chain(confiner, chains, tmp_path):
    done = confiner("doctor", "--chains", chains, "--json", tmp_path / "found.json")
    assert done.returncode == 0, "the bundled chain runs"
    listed = confiner("chains", "--chains", chains, "--json")
    assert "Traceback" not in done.stderr + done.stdout + listed.stderr
    found = {each["name"]: each for each in json.loads((tmp_path / "found.json").read_text())["findings"]}
    missing = {each["name"]: each["missing"] for each in json.loads(listed.stdout)}
    for name in DAMAGED:
        finding = found[f"chain {name}"]
        assert finding["fine"] is False
        assert DAMAGES[name][1] in finding["seen"]
        assert finding["remedy"]
        assert DAMAGES[name][1] in missing[name]
    assert "hold what cannot be understood" in found["chain odd"]["seen"]
    assert found["chain tiny"]["fine"]
    assert "sidecar" in found, "it goes on to its end"


@pytest.mark.parametrize("name", ["empty", "header of 2**62 bytes", "odd"])
def test_generate_refuses_in_a_sentence(confiner, chains, tmp_path, name):
    done = confiner("generate", "a", "--chain", name, "--chains", chains, "-o", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    if name in DAMAGES:
        assert DAMAGES[name][1] in done.stderr
        assert "chains.toml, line " in done.stderr


def test_no_black_take_is_made(confiner, chains, tmp_path):
    out = tmp_path / "out"
    done = confiner("generate", "a", "--chain", "decoder", "--chains", chains, "-o", out, "--refine-steps", "1")
    assert done.returncode == 2
    assert "the autoencoder gave not-a-number when it decoded frames 1 to 4; expected finite numbers" in done.stderr
    assert "→ name other weights for the autoencoder" in done.stderr
    assert not list(out.iterdir())


def test_what_is_not_read_of_a_prompt_is_said_and_precision_can_be_asked_for(confiner, chains, tmp_path):
    words = ("--chain", "tiny", "--chains", chains, "--frames", "1", "--control-steps", "1", "--refine-steps", "1")
    out = tmp_path / "out"
    done = confiner("generate", "a red cube and a blue sphere", *words, "-o", out, "--dtype", "bfloat16")
    assert done.returncode == 0, done.stderr
    record = json.loads((out / "take.json").read_text(encoding="utf-8"))
    assert record["plan"]["dtype"] == "bfloat16"
    assert f"confiner: {record['unread'][0]}\n" in done.stderr
