# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that gives not-a-number or infinite values ends the clip with a sentence that names it, never in black."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import confiner
import numpy as np
import pytest
import torch
from confiner.chains import WeightSource, read_file
from confiner.errors import NotFinite
from confiner.generation.events import Event, FramesDone, StepDone
from confiner.generation.state import ShotState
from confiner.loading.chain import Chain, load_chain
from confiner.method.finite import Watch, WatchedDenoiser
from confiner.method.rules import RULES
from confiner.method.schedule import NoiseSchedule, Prediction
from diffusers import AutoencoderTiny

from tests.confiner.broken_weights import BROKEN, chain_with
from tests.confiner.gaussian import NO_TEXT, GaussianExpert


def request(num_frames: int = 20, *, structure: bool = False, **changes: object) -> confiner.ClipRequest:
    pictures = np.full((num_frames, 32, 32, 3), 90, dtype=np.uint8) if structure else None
    values = {"prompt": "a red cube", "num_frames": num_frames, "width": 32, "height": 32, "seed": 3}
    steps = {"control_steps": 2, "refine_steps": 2, "structure": pictures}
    return confiner.ClipRequest(**{**values, **steps, **changes})  # type: ignore[arg-type]


def made(asked: confiner.ClipRequest, chain: Chain) -> list[Event]:
    return list(confiner.generate(asked, chain, confiner.resolve_plan(asked, chain)))


@pytest.mark.parametrize(
    ("place", "value"), [*((place, math.nan) for place in BROKEN), ("control network", math.inf), ("decoder", math.inf)]
)
def test_whichever_network_is_broken_the_clip_fails_and_names_it(
    chain_file: Path, tmp_path: Path, place: str, value: float
) -> None:
    broken = BROKEN[place]
    spec = chain_with(chain_file, tmp_path, broken, value)
    with pytest.raises(NotFinite) as failed:
        made(request(structure=broken.structure), load_chain(spec))
    told = str(failed.value)
    assert broken.who in told
    assert broken.doing in told
    assert "not-a-number" in told or "infinite values" in told
    assert f"name other weights for {broken.who}" in failed.value.remedy
    assert "float32" not in failed.value.remedy, "it is what they were computed in"


def test_half_precision_is_named_as_what_to_change(chain_file: Path, tmp_path: Path) -> None:
    spec = chain_with(chain_file, tmp_path, BROKEN["control network"], math.nan)
    with pytest.raises(NotFinite) as failed:
        made(request(), load_chain(spec, dtype=torch.bfloat16))
    assert failed.value.remedy.startswith("load the chain in float32")


@pytest.mark.parametrize("rule", RULES.names)
def test_every_rule_is_watched(chain_file: Path, tmp_path: Path, rule: str) -> None:
    who = "spatial" if rule == "standard" else "temporal"
    spec = chain_with(chain_file, tmp_path, BROKEN[f"{who} network"], math.nan)
    with pytest.raises(NotFinite, match=f"the {who} expert gave not-a-number at refinement step 1 of 4"):
        made(request(16, rule=rule, refine_steps=4), load_chain(spec))


def test_frames_that_are_out_stay_out_and_the_rest_can_be_made(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that fails in the middle of a shot: what came before stands, and the last state goes on from there."""
    asked = request(48)
    whole = [event for event in made(asked, chain) if isinstance(event, FramesDone)]
    plan = confiner.resolve_plan(asked, chain)
    done: list[FramesDone] = []
    state: ShotState | None = None
    healthy = chain.temporal.run
    calls = 0

    def failing(latents: torch.Tensor, timestep: int, embeds: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        output = healthy(latents, timestep, embeds)
        if calls == 6:
            output[0, 0, 0, 0, 0] = math.nan
        return output

    monkeypatch.setattr(chain.temporal, "run", failing)
    events = confiner.generate(asked, chain, plan)

    def pull() -> None:
        nonlocal state
        for event in events:
            state = event.state
            done.extend([event] if isinstance(event, FramesDone) else [])

    with pytest.raises(NotFinite, match=r"the temporal expert gave not-a-number at refinement step \d of 2 \(timestep"):
        pull()
    assert done
    assert state is not None
    monkeypatch.undo()
    done += [event for event in confiner.generate(asked, chain, plan, state) if isinstance(event, FramesDone)]
    assert [event.start for event in done] == [event.start for event in whole]
    assert all(np.array_equal(one.frames, other.frames) for one, other in zip(done, whole, strict=True))


def test_a_closed_form_expert_is_watched_like_any_other() -> None:
    table = torch.linspace(0.999, 0.01, 10, dtype=torch.float64)
    expert = GaussianExpert(NoiseSchedule(table), spread=math.nan)
    watch = Watch(torch.float32)
    watched = WatchedDenoiser(expert, "the control expert", watch)
    assert watched.schedule is expert.schedule
    seen: Prediction = watched.predict(torch.ones(1, 4, 2, 3, 3), 5, NO_TEXT)
    assert seen.x0.isnan().all()
    with pytest.raises(NotFinite, match="the control expert gave not-a-number at step 5"):
        watch.check("at step 5")
    watch.check("at the next one, for which nothing was given")


def test_the_first_to_give_no_number_is_named() -> None:
    watch = Watch(torch.float16)
    good, bad = torch.ones(3), torch.tensor([1.0, -math.inf])
    for who, values in (("one", good), ("two", bad), ("three", bad * 0)):
        watch.note(who, values)
    with pytest.raises(NotFinite, match="two gave infinite values here"):
        watch.check("here")


def test_a_step_is_waited_for_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU a flag that is read is a wait: one for a step, however often the experts were asked in it."""
    read: list[str] = []
    check = Watch.check

    def counting(self: Watch, doing: str) -> None:
        read.append(doing)
        check(self, doing)

    monkeypatch.setattr(Watch, "check", counting)
    events = made(request(16), chain)
    steps = [doing for doing in read if "step" in doing]
    assert len(steps) == len([event for event in events if isinstance(event, StepDone)])
    assert len(read) == len(steps) + len([event for event in events if isinstance(event, FramesDone)]) + 1


def test_a_broken_decoder_for_previews_is_done_without(
    chain: Chain, caplog: pytest.LogCaptureFixture, chain_file: Path, tmp_path: Path
) -> None:
    decoder = AutoencoderTiny(
        decoder_block_out_channels=(8, 8, 8),
        encoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
        latent_channels=4,
    )
    torch.nn.init.constant_(next(decoder.decoder.parameters()), math.nan)
    decoder.save_pretrained(tmp_path / "preview")
    spec = replace(read_file(chain_file)["tiny"], preview=WeightSource("./preview", tmp_path))
    loaded = load_chain(spec)
    assert loaded.preview_decoder is None
    assert "previews are drawn without ./preview: the preview decoder gave not-a-number" in caplog.text
    assert any(event.preview.any() for event in made(request(2), loaded) if isinstance(event, StepDone))
