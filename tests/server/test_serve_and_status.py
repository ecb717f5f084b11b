# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner serve` and `confiner status`, as they are typed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from confiner_blender.protocol.messages import FrameDone

CONFINER = [sys.executable, "-m", "confiner_cli"]


@pytest.fixture
def confiner(sidecar):
    """Runs the program in the sidecar's home."""

    def run(*words):
        return subprocess.run([*CONFINER, *words], env=sidecar.environment, capture_output=True, text=True)

    return run


def test_status_says_when_nothing_runs(confiner):
    done = confiner("status")
    assert (done.returncode, done.stdout) == (0, "no sidecar is running\n")


def test_status_lists_jobs_with_their_frames(sidecar, shot, confiner):
    process = sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot(prompt="pause=0.2 a red cube", num_frames=100))
        client.expect(FrameDone)
        done = confiner("status")
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert str(process.pid) in first
    assert "worker busy" in second
    assert third.startswith(job_id)
    assert "running" in third
    assert "/100 frames" in third
    assert "a red cube" in third


def test_status_says_what_to_do_about_a_sidecar_that_was_killed(sidecar, kill, confiner):
    kill(sidecar.start().pid)
    done = confiner("status")
    assert done.returncode == 2
    assert "does not answer" in done.stderr
    assert "confiner serve" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_refuses_a_chain_file_that_is_not_there(confiner):
    done = confiner("serve", "--chains", "/nowhere/chains.toml")
    assert done.returncode == 2
    assert "/nowhere/chains.toml" in done.stderr


def test_serve_is_ready_without_the_heavy_libraries(sidecar, confiner, tmp_path):
    """What the listener has in memory is what makes it ready within a second."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\natexit.register(lambda: print(*[m for m in ('torch', 'numpy') if m in sys.modules]))\n"
    )
    sidecar.environment["PYTHONPATH"] += f":{tmp_path}"
    done = confiner("serve", "--grace", "0")
    assert done.returncode == 0
    ready, loaded = done.stdout.splitlines()
    assert ready.startswith('{"ready": true')
    assert loaded == ""
