# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the sidecar leaves an NVIDIA card unused because its torch was built without CUDA.

Nothing fails then: clips only take an hour in place of a minute. So it is looked for, and said.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from ...protocol.cards import nvidia_cards, without_cuda
from ...protocol.messages import Problem
from ..background_task import Task
from ..child_process import DETACHED, clean_environment

WHERE = "import importlib.util as u; s = u.find_spec('torch'); print(s.origin if s else '')"
PATIENCE = 20.0
SETTING = re.compile(r"^(__version__|cuda)\s*(?::[^=]*)?=\s*(.+?)\s*$", re.MULTILINE)


def look_for_unused_card(interpreter: Path) -> Task[Problem]:
    """A task that reports a Problem if there is one, then Done. It takes a second or two."""

    def work(post: Callable[[Problem], None], stop: threading.Event) -> None:
        if (problem := unused_card(interpreter)) is not None:
            post(problem)

    return Task("confiner-card", work)


def unused_card(interpreter: Path) -> Problem | None:
    """What is wrong, and what to do, where `interpreter` has a torch that cannot use this machine's card; else None."""
    if not (cards := nvidia_cards()) or (torch := _torch_without_cuda(interpreter)) is None:
        return None
    own = f'in a Python of your own, do as this says: "{interpreter}" -m confiner_cli doctor'
    remedy = f"install the sidecar again, which then takes the torch for this card, from its next start on; {own}"
    return Problem("card-unused", without_cuda(cards[0], torch), remedy)


def _torch_without_cuda(interpreter: Path) -> str | None:
    """The version of the interpreter's torch if that was built without CUDA: read, since to import it takes long."""
    try:
        done = subprocess.run(
            [str(interpreter), "-c", WHERE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=clean_environment(),
            creationflags=DETACHED,
            check=True,
        )
        text = Path(done.stdout.strip()).with_name("version.py").read_text(encoding="utf-8")
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    settings = dict(SETTING.findall(text))
    return settings.get("__version__", "").strip("'\"") if settings.get("cuda") == "None" else None
