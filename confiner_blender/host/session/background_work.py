# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on threads of its own: installing the sidecar, testing the way to it, looking for a card that it cannot use."""

from __future__ import annotations

import queue
import sys
from pathlib import Path
from typing import Any

import bpy

from ...client.background_task import Done, GaveUp, Task
from ...client.session.connection_test import HopPassed, connection_test
from ...client.setup.installation import STEPS, Progress, installation
from ...client.setup.unused_card import look_for_unused_card
from ...client.wheel import bundled_wheel
from ...protocol.messages import Problem
from ..blender.add_on import environment_folder, launch_command, sidecar_python
from ..blender.refusal import Refusal
from . import sidecar_link
from .runtime import RUNTIME, Errand


def start_test() -> None:
    """Go the way to the sidecar hop by hop."""
    _stop(RUNTIME.test)
    RUNTIME.test = _begin(connection_test(launch_command()))


def start_installation() -> None:
    """Build the sidecar's own environment from the wheel in the extension.

    Raises:
        Refusal: there is no wheel, as in a source tree.
    """
    wheel = bundled_wheel()
    if wheel is None:
        raise Refusal("no-wheel", "This copy of the extension carries no sidecar", "install the extension from its zip")
    _stop(RUNTIME.installation)
    folder, blender = environment_folder(), Path(sys.executable)
    RUNTIME.installation = _begin(installation(wheel, folder, online=bpy.app.online_access, blender=blender))


def installing() -> bool:
    """Whether the sidecar's environment is being built."""
    return RUNTIME.installation is not None and not RUNTIME.installation.ended


def stop_installation() -> None:
    """Interrupt it; the next one goes on where it was."""
    _stop(RUNTIME.installation)


def look_at_card() -> None:
    """See whether the sidecar's Python leaves a card unused."""
    if (interpreter := sidecar_python()) is not None:
        RUNTIME.card = _begin(look_for_unused_card(interpreter))


def drain() -> bool:
    """Take up what the errands have reported. Whether there was anything."""
    changed = False
    for errand in (RUNTIME.test, RUNTIME.installation, RUNTIME.card):
        if errand is not None:
            changed |= _drain(errand)
    return changed


def stop() -> None:
    _stop(RUNTIME.test)
    _stop(RUNTIME.installation)


def _begin(task: Task[Any]) -> Errand:
    task.start()
    return Errand(task)


def _stop(errand: Errand | None) -> None:
    if errand is not None and not errand.ended:
        errand.task.stop()
        _drain(errand)


def _drain(errand: Errand) -> bool:
    changed = False
    while True:
        try:
            report = errand.task.inbox.get_nowait()
        except queue.Empty:
            return changed
        changed = True
        match report:
            case HopPassed(hop, seen):
                errand.passed.append(f"{hop.value[0].upper()}{hop.value[1:]}: {seen}")
            case Progress(step, line):
                errand.fraction, errand.line = (step - 1) / len(STEPS), f"{STEPS[step - 1]}: {line}"
            case Problem():
                errand.problem = report
            case Done():
                errand.ended = True
                if errand is not RUNTIME.card:
                    sidecar_link.reopen_link()
            case GaveUp():
                errand.ended, errand.problem, errand.log_tail = True, report.problem, report.log_tail
