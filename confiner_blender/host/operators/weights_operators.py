# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons that start and stop downloads of weights. What is to be accepted is said first."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ...protocol.weights import RUNNING, FetchState, FetchWeights, StopFetching, WeightsPart
from ..panels.weights_panel import CHAIN, draw_terms
from ..session import sidecar_link
from ..session.runtime import RUNTIME

DIALOG = 460
"""Width of the dialog, in pixels at a user interface scale of 1."""


def _fetching(context: bpy.types.Context) -> bool:
    """Whether the chain is being downloaded that the panel draws its buttons for."""
    fetch = RUNTIME.fetches.get(getattr(context, CHAIN, None) or "")
    return fetch is not None and fetch.state == RUNNING


class CONFINER_OT_fetch_weights(bpy.types.Operator):
    """Download the weights of this chain, after saying under which licences they stand"""

    bl_idname = "confiner.fetch_weights"
    bl_label = "Download Weights"

    chain: StringProperty(description="Name of the chain", options={"SKIP_SAVE"})
    control_steps: IntProperty(name="Control Steps", description="0: the chain's own number", options={"SKIP_SAVE"})
    accept: BoolProperty(name="I have read the licences and accept them", options={"SKIP_SAVE"})
    pickled: BoolProperty(name="I trust where the pickled file comes from: read it, once", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _fetching(context):
            cls.poll_message_set("These weights are being downloaded: wait for them, or stop the download")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self._refused() or not self._asks():
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, width=DIALOG, confirm_text="Download")

    def draw(self, context: bpy.types.Context) -> None:
        draw_terms(self.layout, self._missing(), self, DIALOG)

    def execute(self, context: bpy.types.Context) -> set[str]:
        if sentence := self._refused():
            self.report({"WARNING"}, sentence)
            return {"CANCELLED"}
        missing = self._missing()
        terms = [part.repository for part in missing if not part.accepted]
        files = [part.pickled for part in missing if part.pickled]
        if (terms and not self.accept) or (files and not self.pickled):
            condition = "the licences are accepted" if terms and not self.accept else f"{files[0]} is allowed"
            self.report({"WARNING"}, f"Nothing is downloaded before {condition}")
            return {"CANCELLED"}
        RUNTIME.fetches[self.chain] = FetchState(self.chain, RUNNING)
        wanted = FetchWeights(self.chain, list(dict.fromkeys(terms)), files, self.control_steps or None)
        sidecar_link.open_link().send(wanted)
        return {"FINISHED"}

    def _asks(self) -> bool:
        """Whether there is anything to accept or to allow."""
        return any(not part.accepted or part.pickled for part in self._missing())

    def _missing(self) -> list[WeightsPart]:
        return RUNTIME.weights[self.chain].missing(self.control_steps)

    def _refused(self) -> str:
        """Why nothing can be downloaded now; empty if it can."""
        if self.chain not in RUNTIME.weights:
            return "The sidecar has not said which weights there are: connect to it first"
        if not bpy.app.online_access:
            return "Online access is off: allow it in the preferences, under System, then restart the sidecar"
        return ""


class CONFINER_OT_stop_fetching(bpy.types.Operator):
    """Stop the download. What has come is kept, and the next download goes on behind it"""

    bl_idname = "confiner.stop_fetching"
    bl_label = "Stop"

    chain: StringProperty(description="Name of the chain", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if getattr(context, CHAIN, None) and not _fetching(context):
            cls.poll_message_set("Nothing is being downloaded for this chain")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        sidecar_link.open_link().send(StopFetching(self.chain))
        return {"FINISHED"}


CLASSES = (CONFINER_OT_fetch_weights, CONFINER_OT_stop_fetching)
