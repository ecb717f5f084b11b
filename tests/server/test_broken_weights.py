# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner serve` with weights that are none, or give no numbers: sentences, and the next shot is made."""

from __future__ import annotations

import math
import sys

import pytest

from confiner_blender.protocol.messages import Chains, Failed, Finished, FrameDone, ListChains, Refused, Started

BROKEN = ("control network", "spatial text", "temporal time", "encoder", "decoder")


@pytest.fixture(scope="module")
def serving(tmp_path_factory, sidecars):
    """A sidecar with the tiny chain, one with a broken value for each of BROKEN, and one with a web page."""
    import shutil

    from tests.confiner.broken_weights import BROKEN as PLACES
    from tests.confiner.broken_weights import spoil
    from tests.confiner.tiny_models import CHAIN_FILE, write_tiny_chain

    folder = tmp_path_factory.mktemp("broken")
    chains = write_tiny_chain(folder / "tiny")
    for name in (*BROKEN, "page"):
        shutil.copytree(chains.parent, folder / name)
        text = CHAIN_FILE.replace("[tiny", f'["{name}"').replace('"./', f'"../{name}/')
        with chains.open("a", encoding="utf-8") as file:
            file.write(text.replace(f'["{name}"]', f'["{name}"]', 1))
        if name in PLACES:
            spoil(folder / name / PLACES[name].file, PLACES[name].tensor, math.nan)
    page = folder / "page" / "spatial" / "unet" / "diffusion_pytorch_model.safetensors"
    page.write_text("<!doctype html><html>", encoding="utf-8")
    command = [sys.executable, "-m", "confiner_cli", "serve", "--stay", "--chains", str(chains)]
    with sidecars(folder, command) as sidecar:
        sidecar.environment["OMP_NUM_THREADS"] = "1"
        sidecar.start()
        yield sidecar


def test_each_broken_chain_fails_with_its_name_and_the_worker_lives_on(serving, shot):
    from tests.confiner.broken_weights import BROKEN as PLACES

    quick = {"num_frames": 4, "control_steps": 2, "refine_steps": 2}
    with serving.client() as client:
        for name in BROKEN:
            failed = client.outcome(client.submit(shot(chain=name, **quick)))
            assert isinstance(failed, Failed)
            assert failed.problem.code == "not-finite"
            assert PLACES[name].who in failed.problem.message
            assert "not-a-number" in failed.problem.message
            assert f"name other weights for {PLACES[name].who}" in failed.problem.remedy
        assert not [event for event in client.events if isinstance(event, FrameDone)]
        assert isinstance(client.outcome(client.submit(shot(chain="tiny", **quick))), Finished)
    assert len(serving.workers()) == 1


def test_a_web_page_is_listed_and_refused_as_one(serving, shot):
    with serving.client() as client:
        listed = {chain.name: chain for chain in client.ask(ListChains(), Chains).chains}
        assert listed["tiny"].missing == ""
        assert "diffusion_pytorch_model.safetensors is a web page" in listed["page"].missing
        client.submit(shot(chain="page"))
        refused = client.expect(Refused)
        assert refused.problem.code == "weights-damaged"
        assert "is a web page" in refused.problem.message
        assert "/resolve/" in refused.problem.remedy


def test_what_is_not_read_of_a_prompt_comes_with_the_start_and_stays_with_the_take(serving, shot):
    request = shot(chain="tiny", prompt="a red cube and a blue sphere", num_frames=2, control_steps=1, refine_steps=1)
    with serving.client() as client:
        finished = client.outcome(client.submit(request))
        started = next(event for event in client.events if isinstance(event, Started))
    assert isinstance(finished, Finished)
    (sentence,) = finished.take["unread"]
    assert sentence.startswith("the prompt is too long to be read whole: the control expert does not read “")
    assert started.take["unread"] == [sentence]
