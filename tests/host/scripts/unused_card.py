# SPDX-License-Identifier: GPL-3.0-or-later
"""Connects to the sidecar on a machine with a card, and reads what the panel then says of it."""

import bpy
import stage


class Paper:
    """Stands in for a panel's layout, and keeps the sentences and the buttons that are drawn on it."""

    def __init__(self, text=None, buttons=None):
        self.text = [] if text is None else text
        self.buttons = [] if buttons is None else buttons

    def __getattr__(self, name):
        return lambda *_, **__: Paper(self.text, self.buttons)

    def panel(self, *_, **__):
        return self, None

    def label(self, text="", **_):
        self.text.append(text)

    def operator(self, name, **_):
        self.buttons.append(name)
        return self


stage.enable()
runtime = stage.module("host.session.runtime").RUNTIME
stage.use_sidecar()
bpy.ops.confiner.connect()
looked = stage.pump_until(lambda: runtime.card is not None and runtime.card.ended, patience=120)
paper = Paper()
stage.module("host.panels.connection_panel").draw_connection(paper, 4000)
stage.report(looked=looked, text=" ".join(paper.text), buttons=paper.buttons)
