# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sidecar says of a prompt's end stands by the prompt: while the shot is made, and with its take."""

import json
from dataclasses import dataclass, field
from typing import Any

import bpy
import stage

stage.enable()
inbox, pump = stage.module("client.session.inbox"), stage.module("host.callbacks.timer")
messages, runtime = stage.module("protocol.messages"), stage.module("host.session.runtime")
SAID = "the prompt is too long to be read whole: no expert reads “at noon”"


@dataclass
class Layout:
    """What a panel draws on, as far as this panel goes: it keeps the labels."""

    labels: list[str] = field(default_factory=list)

    def label(self, text: str = "", **_: Any) -> None:
        self.labels.append(text)

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self


def drawn() -> str:
    """The sentences of the shot's panel."""
    panel = stage.module("host.panels.shot_panel").ShotPanel()
    panel.layout = Layout()
    context = bpy.context.copy() | {"region": type("Region", (), {"width": 4000})}
    panel.draw(type("Context", (), context))
    return " ".join(panel.layout.labels)


shot = stage.add_shot(prompt="a red cube moves left on grass at noon", length=12)
job = stage.start_job(shot)
said = {"before": drawn()}
pump.apply(inbox.EventArrived(messages.Started(job.entry.take, 1, {}, {"unread": [SAID]})))
said["while it is made"] = drawn()
shot.prompt = "a red cube"
said["with another prompt"] = drawn()
shot.prompt = "a red cube moves left on grass at noon"
stage.land(job, job.entry.num_frames)
record = json.loads((job.folder / "request.json").read_text(encoding="utf-8"))
(job.folder / "take.json").write_text(json.dumps(record | {"unread": [SAID]}), encoding="utf-8")
pump.apply(inbox.TakeStored(job.entry.take, job.folder / "take.json"))
runtime.RUNTIME.jobs.clear()  # as in a file that was opened again
said["with its take"] = drawn()
shot.prompt += " and more"
said["changed since"] = drawn()
stage.report(**said)
