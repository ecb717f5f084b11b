# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL at random points of a shot made by the bundled experts: it goes on, and every byte is the same.

python3 dev.py test tests/server/test_kills.py              a short shot, two points
python3 dev.py test tests/server/test_kills.py -m slow      96 frames at the chain's own steps, twenty points
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import pytest

from confiner_blender.protocol.messages import Attach, Finished, ShotRequest, Stepped

SHORT = ShotRequest(
    "a red cube moves left on grass at noon", 20, 64, 64, 7, "bundled", 8.0, control_steps=2, refine_steps=2
)
LONG = ShotRequest("a red cube moves left on grass at noon", 96, 64, 64, 7, "bundled", 8.0)
VICTIMS = ("worker", "listener", "listener and worker")


class Stage:
    """A sidecar, and what it makes of each request when nobody disturbs it."""

    def __init__(self, sidecar):
        self.sidecar = sidecar
        self.listener = sidecar.start("--stay")
        self._undisturbed = {}

    def undisturbed(self, request):
        """How many messages a job is, its frames and its record."""
        if request.num_frames not in self._undisturbed:
            with self.sidecar.client() as client:
                job_id = client.submit(request)
                outcome = client.outcome(job_id)
                assert isinstance(outcome, Finished), outcome
                self._undisturbed[request.num_frames] = len(client.events), client.frames(job_id), outcome.take
        return self._undisturbed[request.num_frames]

    def kill(self, victims):
        worker = self.sidecar.workers()[-1]
        if "listener" in victims:
            self.listener.kill()
        if "worker" in victims:
            os.kill(worker, signal.SIGKILL)
        if "listener" in victims:
            self.listener.wait()
            self.listener = self.sidecar.start("--stay")


@pytest.fixture(scope="module")
def stage(tmp_path_factory, sidecars):
    with sidecars(tmp_path_factory.mktemp("kills"), [sys.executable, "-m", "confiner_cli", "serve"]) as sidecar:
        sidecar.environment["OMP_NUM_THREADS"] = "1"
        yield Stage(sidecar)


def survives(stage, request, point):
    """Kill at a point that `point` draws, let the shot go on, and compare what came of it."""
    messages, frames, take = stage.undisturbed(request)
    drawn = random.Random(point)
    after, moment, victims = drawn.randrange(1, messages), drawn.uniform(0, 0.2), VICTIMS[point % len(VICTIMS)]
    with stage.sidecar.client() as client:
        job_id = client.submit(request)
        client.expect(Stepped)  # the worker is there
        while len(client.events) < after:
            client.hear()
        time.sleep(moment)  # in the middle of a step, of a file, of a line in the journal
        stage.kill(victims)
        if victims == "worker":
            outcome = client.outcome(job_id)
            assert (outcome.take, client.frames(job_id)) == (take, frames)
            return
    with stage.sidecar.client() as returned:
        returned.send(Attach(job_id, 0))
        outcome = returned.outcome(job_id)
        assert (outcome.take, returned.frames(job_id)) == (take, frames)


@pytest.mark.parametrize("point", [0, 2])
def test_a_shot_survives_a_kill_at_a_random_point(stage, point):
    survives(stage, SHORT, point)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(20))
def test_a_long_shot_survives_twenty_of_them(stage, point):
    survives(stage, LONG, point)
