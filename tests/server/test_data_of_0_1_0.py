# SPDX-License-Identifier: GPL-3.0-or-later
"""A data folder that a sidecar of version 0.1.0 left: its finished job is there, its killed one goes on to its end."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from confiner_blender.protocol.messages import Finished, FrameDone

THEN = Path(__file__).parent.parent / "made_by_0_1_0" / "sidecar"
FINISHED, KILLED = "ee68ac8e-145a-4c40-83dc-1bb14dea3e7e", "771961b2-8d2a-4722-8864-b4e9493c88f8"


def test_jobs_are_handed_out_and_gone_on_with(tmp_path, sidecars):
    shutil.copytree(THEN, tmp_path / "home" / "data")
    with sidecars(tmp_path, [sys.executable, "-m", "confiner_cli", "serve", "--stay"]) as sidecar:
        sidecar.start()
        for job, count in ((FINISHED, 16), (KILLED, 96)):
            with sidecar.client() as client:
                client.attach(job)
                assert isinstance(client.outcome(job), Finished)
                frames = client.frames(job)
                told = {event.frame: event.sha256 for event in client.events if isinstance(event, FrameDone)}
                assert sorted(frames) == list(range(count))
                assert {frame: hashlib.sha256(data).hexdigest() for frame, data in frames.items()} == told
