# SPDX-License-Identifier: GPL-3.0-or-later
"""From a shot to what is asked for, and from a take to its place on the timeline. Pure Python: no Blender, no socket.

shot       what the author wrote              timing    which clip frame is seen on which timeline frame
request    shot → what the sidecar is asked   elements  take → the files of its strip
remarks    what a chain cannot honour         layout    where shots stand, and who is in the way
progress   a job's events → what is shown     record    take.json → settings, and whether they still hold
ledger     jobs under way, outside the .blend folders   where takes stand beside the .blend
identity   whose ids are copies
"""
