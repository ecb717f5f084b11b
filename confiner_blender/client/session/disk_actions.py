# SPDX-License-Identifier: GPL-3.0-or-later
"""Do what a conversation asks to have done on disk, and tell it how that went."""

from __future__ import annotations

from ...protocol.messages import Problem
from ..whole_file import NotStored
from . import take_writer
from .actions import Action, ClearPreview, StoreFrame, StorePart, StorePreview, StoreTake, Storing
from .conversation import Conversation


def store(action: Storing, conversation: Conversation) -> list[Action]:
    """Do one thing and return what the conversation wants next; what the disk refuses becomes a problem of the job."""
    if isinstance(action, ClearPreview):
        take_writer.clear(action.folder)
        return []
    job_id = action.job_id if isinstance(action, StorePreview) else action.event.job_id
    try:
        match action:
            case StoreFrame(folder, event, png):
                return conversation.frame_stored(event, take_writer.store_frame(folder, event, png))
            case StorePreview(_, folder, png):
                return conversation.preview_stored(job_id, take_writer.store_preview(folder, png))
            case StoreTake():
                return _store_take(action, conversation)
            case StorePart(folder, event):
                take_writer.store_part(folder, event.take)
                return conversation.part_stored(event)
    except NotStored as error:
        if error.again and isinstance(action, StoreFrame):
            return conversation.frame_damaged(action.event, error.problem)
        return conversation.landing_failed(job_id, error.problem)


def _store_take(action: StoreTake, conversation: Conversation) -> list[Action]:
    job_id = action.event.job_id
    missing = take_writer.missing_frames(action.folder, action.num_frames or 0)
    if missing:
        message = f"{len(missing)} of {action.num_frames} frames are missing in {action.folder}"
        problem = Problem("missing-frames", message, "leave the folder alone while the shot is made; generate again")
        return conversation.frames_missing(job_id, problem)
    return conversation.take_stored(job_id, take_writer.store_take(action.folder, action.event.take))
