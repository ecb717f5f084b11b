# SPDX-License-Identifier: GPL-3.0-or-later
"""One line that says how far a clip is: redrawn on a terminal, a line for each stage anywhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from confiner import StepDone


class ProgressLine:
    """Draws steps on `stream`. The remaining time is judged by the model evaluations done since the first one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._stage = ""
        self._began = time.monotonic()

    def step(self, event: StepDone) -> None:
        """Show that one denoising step is done."""
        left = self.seconds_left(event)
        done = event.evaluations / event.evaluations_total
        text = f"{event.stage} {event.step}/{event.steps}  {done:4.0%}  {left:.0f} s left"
        if self._live:
            self._stream.write(f"\r\x1b[K{text}")
        elif event.stage != self._stage or event.step == event.steps:
            self._stream.write(text + "\n")
        self._stage = event.stage
        self._stream.flush()

    def seconds_left(self, event: StepDone) -> float:
        """Seconds until the last step, if the rest goes as fast as what is done."""
        passed = time.monotonic() - self._began
        return passed * (event.evaluations_total - event.evaluations) / max(event.evaluations, 1)

    def close(self) -> None:
        """Leave the line free for what follows."""
        if self._live and self._stage:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
