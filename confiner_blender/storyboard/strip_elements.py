# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a take's strip shows, one per timeline frame, from its first moment to its last frame.

The strip has its full length at once. A frame that is not there yet is stood in for by the last one before it; before
the first frame stand the structure frames, where the shot has some, else a slate. A name never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from .clip_timing import Timing, clip_frame

Name = Callable[[int], str]


def element_names(timing: Timing, done: Collection[int], frame: Name, stand_in: Name) -> list[str]:
    """The file name of every timeline frame. `done` are the clip frames that lie in the folder.

    `frame` names the file of a clip frame, `stand_in` what is shown in its place before any frame is there.
    """
    names = []
    last: int | None = None
    for offset in range(timing.length):
        index = clip_frame(timing, offset)
        if index in done:
            last = index
        names.append(stand_in(index) if last is None else frame(last))
    return names
