# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that really runs out of memory: the shot fails with what to do, and the worker takes the next one."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from confiner_blender.protocol.messages import Failed, Finished

SPARE = 100 * 2**20
LARGE = 1024


@pytest.fixture(scope="module")
def serving(tmp_path_factory, sidecars):
    """A sidecar with the tiny experts, which may be asked for large pictures."""
    from tests.confiner.tiny_models import write_tiny_chain

    folder = tmp_path_factory.mktemp("narrow")
    chains = write_tiny_chain(folder / "tiny")
    text = chains.read_text(encoding="utf-8")
    assert "[48, 32]" in text
    chains.write_text(text.replace("[48, 32]", f"[{LARGE}, {LARGE}]"), encoding="utf-8")
    command = [sys.executable, "-m", "confiner_cli", "serve", "--stay", "--chains", str(chains)]
    with sidecars(folder, command) as sidecar:
        sidecar.environment["OMP_NUM_THREADS"] = "1"
        sidecar.start()
        yield sidecar


def narrow(pid: int, spare: int | None) -> None:
    """Let the process have no more than `spare` bytes beyond what it has; None lifts that."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    soft = resource.RLIM_INFINITY if spare is None else pages * resource.getpagesize() + spare
    resource.prlimit(pid, resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets another process's memory be limited")
def test_the_shot_fails_with_the_next_cheaper_setting_and_the_worker_lives_on(serving, shot):
    small = shot(chain="tiny", num_frames=4, control_steps=1, refine_steps=1)
    large = shot(chain="tiny", num_frames=4, control_steps=1, refine_steps=1, width=LARGE, height=LARGE)
    with serving.client() as client:
        assert isinstance(client.outcome(client.submit(small)), Finished)
        (worker,) = serving.workers()
        narrow(worker, SPARE)
        failed = client.outcome(client.submit(large))
        assert isinstance(failed, Failed)
        assert failed.problem.code == "out-of-memory"
        assert f"the memory of cpu did not suffice for 4 frames of {LARGE}×{LARGE}" in failed.problem.message
        assert "generate it again, now with less memory (float32, " in failed.problem.remedy
        assert "frames one by one" in failed.problem.remedy
        assert "choose 32×32" in failed.problem.remedy
        narrow(worker, None)
        finished = client.outcome(client.submit(small))
        assert isinstance(finished, Finished), finished
        assert finished.take["plan"]["decode_frames"] == 1, "it does what it said it would"
    assert serving.workers() == [worker]
    log = serving.log()
    assert "tiny on cpu: float32, all weights stay on the device, 4 frames decoded together (about" in log
