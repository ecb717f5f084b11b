# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens when a file is opened or saved, and after an undo. Persistent, so that it goes on in the next file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from ..jobs import arrivals, jobs
from ..scene import shots
from ..session.runtime import RUNTIME
from . import relocation


@persistent
def loaded(*_: object) -> None:
    """Find this file's jobs again, which may have gone on or ended without it."""
    for remembered in (RUNTIME.arrivals, RUNTIME.shown, RUNTIME.places, RUNTIME.had_strip, RUNTIME.copies):
        remembered.clear()
    shots.part_copies()
    for job in RUNTIME.jobs.values():  # the session still follows them, and their shots may be in this file
        jobs.restore_take(job)
    for entry in arrivals.ledger_of_user().entries():
        if entry.blend in ("", bpy.data.filepath) or not Path(entry.blend).exists():
            jobs.adopt(entry)


@persistent
def closing(*_: object) -> None:
    """Another file is about to be opened in this one's place."""
    arrivals.leave()


@persistent
def undone(*_: object) -> None:
    """Undo takes back what the author did, not what the sidecar did meanwhile."""
    _after_history(redone=False)


@persistent
def redone(*_: object) -> None:
    _after_history(redone=True)


def _after_history(*, redone: bool) -> None:
    shots.part_copies()
    relocation.find_again()
    for job in RUNTIME.jobs.values():  # some may have waited for a shot that is back
        if job.progress.ended:
            jobs.restore_take(job)
    arrivals.reapply(redone=redone)


@persistent
def saving(target: str, *_: object) -> None:
    shots.part_copies()
    relocation.before_save(target)


@persistent
def saved(target: str, *_: object) -> None:
    relocation.after_save(target)


@persistent
def save_failed(target: str, *_: object) -> None:
    relocation.after_failed_save(target)


def _handlers() -> list[tuple[list[Callable[..., None]], Callable[..., None]]]:
    on = bpy.app.handlers
    return [
        (on.load_post, loaded),
        (on.load_pre, closing),
        (on.undo_post, undone),
        (on.redo_post, redone),
        (on.save_pre, saving),
        (on.save_post, saved),
        (on.save_post_fail, save_failed),
    ]


def start() -> None:
    for handlers, handler in _handlers():
        handlers.append(handler)


def stop() -> None:
    for handlers, handler in _handlers():
        if handler in handlers:
            handlers.remove(handler)
