# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository's scheduler file is compared with the chain file, which wins."""

import json
from dataclasses import replace
from pathlib import Path

from confiner.chains import ExpertSpec, ScheduleSpec, WeightSource
from confiner.chains.scheduler_file import disagreements, scheduler_disagreements

LIGHTNING = ScheduleSpec(beta_start=0.00085, beta_end=0.012, beta_schedule="linear")
SD15 = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
}


def expert(folder: Path, schedule: ScheduleSpec) -> ExpertSpec:
    parts = {part: WeightSource(f"./{part}", folder) for part in ("unet", "text_encoder", "tokenizer")}
    return ExpertSpec(kind="animatediff", schedule=schedule, **parts)


def test_a_file_that_agrees_says_nothing() -> None:
    assert disagreements(replace(LIGHTNING, beta_schedule="scaled_linear"), SD15) == []


def test_each_difference_is_named() -> None:
    other = replace(LIGHTNING, beta_end=0.02, prediction_type="v_prediction", zero_snr=True)
    clauses = disagreements(other, {**SD15, "trained_betas": [0.1]})
    assert clauses == [
        "beta_end is 0.012 in the repository and 0.02 in the chain file",
        "beta_schedule is 'scaled_linear' in the repository and 'linear' in the chain file",
        "prediction_type is 'epsilon' in the repository and 'v_prediction' in the chain file",
        "rescale_betas_zero_snr is False in the repository and True in the chain file",
        "the repository has betas of its own (trained_betas)",
    ]


def test_the_file_is_looked_for_beside_the_network(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    assert scheduler_disagreements(expert(tmp_path, LIGHTNING)) == []
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(json.dumps(SD15))
    assert len(scheduler_disagreements(expert(tmp_path, LIGHTNING))) == 1


def test_weights_that_are_not_here_have_no_file_to_ask(tmp_path: Path) -> None:
    assert scheduler_disagreements(expert(tmp_path / "nowhere", LIGHTNING)) == []
