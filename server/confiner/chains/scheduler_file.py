# SPDX-License-Identifier: GPL-3.0-or-later
"""What an expert's repository says of its noise schedule, against what the chain file says it was trained with.

The chain file always wins: diffusers' scheduler files describe how a pipeline samples, and are often inherited from
another model. Where both speak of the same thing and differ, a person should know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .spec import ExpertSpec, ScheduleSpec

# the scheduler file's name for each value, and what diffusers takes where the file says nothing
_NAMES: dict[str, tuple[str, Any]] = {
    "beta_start": ("beta_start", None),
    "beta_end": ("beta_end", None),
    "beta_schedule": ("beta_schedule", None),
    "train_timesteps": ("num_train_timesteps", None),
    "prediction_type": ("prediction_type", "epsilon"),
    "zero_snr": ("rescale_betas_zero_snr", False),
}


def scheduler_disagreements(expert: ExpertSpec) -> list[str]:
    """One clause per value in which the scheduler file beside the expert's UNet differs; empty if there is none."""
    scheduler = read_scheduler(expert)
    return disagreements(expert.schedule, scheduler) if scheduler else []


def read_scheduler(expert: ExpertSpec) -> Mapping[str, Any]:
    """The scheduler file beside the expert's UNet; empty if there is none."""
    unet = expert.unet.folder()
    if unet is None or unet.is_file():
        return {}
    file = unet.parent / "scheduler" / "scheduler_config.json"
    held = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return held if isinstance(held, dict) else {}


def disagreements(schedule: ScheduleSpec, scheduler: Mapping[str, Any]) -> list[str]:
    """The same for a scheduler file's content."""
    clauses = []
    for field, (name, default) in _NAMES.items():
        trained, written = getattr(schedule, field), scheduler.get(name, default)
        if written is not None and written != trained:
            clauses.append(f"{name} is {written!r} in the repository and {trained!r} in the chain file")
    if scheduler.get("trained_betas") is not None:
        clauses.append("the repository has betas of its own (trained_betas)")
    return clauses
