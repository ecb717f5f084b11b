# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights are listed and downloaded through the sidecar, which answers everybody else meanwhile."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

import pytest

from confiner_blender.protocol.messages import Chains, GetStatus, ListChains, Status, Submit
from confiner_blender.protocol.weights import FetchState, FetchWeights, ListWeights, StopFetching, Weights
from tests.hub_server import Hub, folders_of, serving

CHAIN = "confiner-s/modelscope"
SD, LIGHTNING = "stable-diffusion-v1-5/stable-diffusion-v1-5", "ByteDance/AnimateDiff-Lightning"
MODELSCOPE = "ali-vilab/text-to-video-ms-1.7b"
ALL = [SD, LIGHTNING, MODELSCOPE]


@pytest.fixture
def hub(hub_cache):
    return Hub(folders_of(hub_cache))


@pytest.fixture
def serving_sidecar(hub, sidecars, tmp_path):
    """A sidecar whose hub is ours, and whose cache is empty."""
    with serving(hub) as address, sidecars(tmp_path, [sys.executable, "-m", "confiner_cli", "serve"]) as sidecar:
        sidecar.environment.pop("HF_HUB_OFFLINE", None)
        sidecar.environment |= {"HF_ENDPOINT": address, "HF_HUB_CACHE": str(tmp_path / "cache")}
        sidecar.start()
        yield sidecar


def ended(client, chain=CHAIN):
    """The states of a download until its last one."""
    states = [client.expect(FetchState)]
    while states[-1].state == "running":
        states.append(client.expect(FetchState))
    assert {state.chain for state in states} == {chain}
    return states


def fetchers(sidecar) -> list[int]:
    """Process ids of downloads that run for this sidecar."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"confiner_server.weights.fetcher" in command and os.fsencode(sidecar.home) in environment:
            found.append(int(folder.name))
    return found


def test_weights_are_listed_with_size_licence_and_what_is_there(serving_sidecar):
    with serving_sidecar.client() as client:
        chains = {weights.chain: weights for weights in client.ask(ListWeights(), Weights).chains}
    assert chains["bundled"].parts == []
    parts = {(part.repository, part.inside): part for part in chains[CHAIN].parts}
    unet = parts[MODELSCOPE, "unet"]
    assert (unet.licence, unet.terms, unet.accepted) == ("CC-BY-NC-4.0", "not for commercial use", False)
    assert unet.size == 2_822_650_224
    assert not any(part.there for part in parts.values())
    assert chains[CHAIN].download == sum(part.size for part in parts.values())
    lavie = [part for part in chains["confiner-s/lavie"].parts if part.pickled]
    assert [(part.repository, part.pickled, part.accepted) for part in lavie] == [
        ("Vchitect/LaVie", "lavie_base.pt", True)
    ]


def test_a_download_reports_to_everybody_and_makes_the_chain_whole(serving_sidecar):
    with serving_sidecar.client() as client, serving_sidecar.client() as other:
        client.send(FetchWeights(CHAIN, ALL))
        states = ended(client)
        assert states[-1].state == "done", states[-1].problem
        assert states[-1].received == states[-1].total > 10e6
        assert ended(other)[-1].state == "done"
        missing = {chain.name: chain.missing for chain in client.ask(ListChains(), Chains).chains}
        assert missing[CHAIN] == ""
        listed = {weights.chain: weights for weights in client.ask(ListWeights(), Weights).chains}
        assert all(part.there and part.accepted for part in listed[CHAIN].parts)
        assert listed[CHAIN].download == 0


def test_what_was_not_accepted_is_not_downloaded(serving_sidecar, hub):
    with serving_sidecar.client() as client:
        client.send(FetchWeights(CHAIN, [SD]))
        failed = ended(client)[-1]
        assert (failed.state, failed.problem.code) == ("failed", "licence")
        assert MODELSCOPE in failed.problem.message
        assert hub.requests == []
        chains = {weights.chain: weights for weights in client.ask(ListWeights(), Weights).chains}
    accepted = {part.repository: part.accepted for part in chains[CHAIN].parts}
    assert accepted == {SD: True, LIGHTNING: False, MODELSCOPE: False, "madebyollin/taesd": True}, "it is remembered"


def test_weights_for_another_number_of_control_steps_are_downloaded_on_demand(serving_sidecar, hub, shot):
    with serving_sidecar.client() as client:
        client.send(FetchWeights(CHAIN, ALL))
        assert ended(client)[-1].state == "done"

        def listed():
            return next(each for each in client.ask(ListWeights(), Weights).chains if each.chain == CHAIN)

        assert {part.steps: part.there for part in listed().step_parts} == {1: False, 2: False, 8: False}
        assert [part.inside for part in listed().missing(8)] == ["animatediff_lightning_8step_diffusers.safetensors"]
        in_8_steps = shot(chain=CHAIN, num_frames=16, width=512, height=512, control_steps=8)
        refused = client.refusal(Submit(str(uuid.uuid4()), in_8_steps))
        assert "no weights for 8 control steps" in refused.problem.message
        hub.requests.clear()
        client.send(FetchWeights(CHAIN, control_steps=8))
        assert ended(client)[-1].state == "done"
        assert not [path for _, path, _ in hub.requests if "4step" in path or "unet" in path], "no more than that"
        assert {part.steps: part.there for part in listed().step_parts} == {1: False, 2: False, 8: True}
        assert listed().missing(8) == []


def test_an_unknown_chain_is_refused(serving_sidecar):
    with serving_sidecar.client() as client:
        assert "nowhere" in client.refusal(FetchWeights("nowhere")).problem.message


def test_a_download_is_stopped_and_goes_on_and_the_sidecar_answers_meanwhile(serving_sidecar, hub, has_gone):
    hub.bytes_per_second = 2e6
    with serving_sidecar.client() as client:
        client.send(FetchWeights(CHAIN, ALL))
        while client.expect(FetchState).received == 0:
            pass
        assert client.ask(GetStatus(), Status).queued == 0
        with serving_sidecar.client() as late:
            late.ask(ListWeights(), Weights)
            assert late.expect(FetchState).state == "running"
        (process,) = fetchers(serving_sidecar)
        client.send(StopFetching(CHAIN))
        assert ended(client)[-1].state == "stopped"
        assert has_gone(process)
        hub.bytes_per_second = 0
        hub.requests.clear()
        client.send(FetchWeights(CHAIN))
        assert ended(client)[-1].state == "done"
    assert [ranged for _, _, ranged in hub.requests if ranged], "it goes on behind what had come"


def test_a_killed_download_is_told_with_what_to_do(serving_sidecar, hub, kill):
    hub.bytes_per_second = 2e6
    with serving_sidecar.client() as client:
        client.send(FetchWeights(CHAIN, ALL))
        while client.expect(FetchState).received == 0:
            pass
        kill(fetchers(serving_sidecar)[0])
        failed = ended(client)[-1]
        assert failed.state == "failed"
        assert "goes on where it stopped" in failed.problem.remedy


def test_a_download_ends_with_its_sidecar(serving_sidecar, hub, kill, has_gone):
    hub.bytes_per_second = 2e6
    with serving_sidecar.client() as client:
        client.send(FetchWeights(CHAIN, ALL))
        while client.expect(FetchState).received == 0:
            pass
        (process,) = fetchers(serving_sidecar)
        kill(serving_sidecar.started[-1].pid)
        assert has_gone(process)
