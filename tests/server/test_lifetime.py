# SPDX-License-Identifier: GPL-3.0-or-later
"""How a sidecar starts, how long it lives, and that it leaves nothing behind however it ends."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys

import pytest
from confiner_server.process.lifetime import Lifetime, watch_process

from confiner_blender.protocol import codec
from confiner_blender.protocol.messages import (
    Attach,
    Finished,
    FrameDone,
    Hello,
    Jobs,
    ListJobs,
    Paused,
    Shutdown,
    Started,
)
from confiner_blender.protocol.version import PROTOCOL_VERSION


def test_without_a_client_it_ends_after_the_grace_time():
    lifetime = Lifetime(grace=60, stay=False, now=100)
    assert not lifetime.is_over(now=159, parent_alive=True)
    assert lifetime.is_over(now=160, parent_alive=True)


def test_it_lives_as_long_as_a_client_is_attached_and_the_grace_time_starts_anew():
    lifetime = Lifetime(grace=60, stay=False, now=0)
    lifetime.attached()
    lifetime.attached()
    lifetime.detached(now=1000)
    assert not lifetime.is_over(now=5000, parent_alive=False)
    lifetime.detached(now=5000)
    assert not lifetime.is_over(now=5059, parent_alive=True)
    assert lifetime.is_over(now=5060, parent_alive=True)


def test_without_client_and_parent_it_ends_at_once():
    assert Lifetime(grace=60, stay=False, now=0).is_over(now=0, parent_alive=False)


def test_told_to_stay_it_stays():
    assert not Lifetime(grace=0, stay=True, now=0).is_over(now=1e9, parent_alive=False)


def test_a_process_is_watched_until_it_ends_even_if_nobody_collects_it(eventually):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    alive = watch_process(process.pid)
    assert alive()
    process.kill()
    assert eventually(lambda: not alive())
    assert process.wait() == -signal.SIGKILL
    assert not watch_process(process.pid)()
    assert watch_process(None)()


def test_the_connection_file_is_the_users_own_and_goes_with_the_sidecar(sidecar):
    process = sidecar.launch()
    ready = sidecar.readiness(process)
    assert ready["pid"] == process.pid == sidecar.connection.pid
    assert ready["port"] == sidecar.connection.port
    assert stat.S_IMODE(sidecar.connection_file.stat().st_mode) == 0o600
    assert len(sidecar.connection.token) >= 32
    process.terminate()
    assert process.wait(20) == 0
    assert not sidecar.connection_file.exists()
    assert [path.name for path in sidecar.connection_file.parent.glob("*.part")] == []


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "Shutdown"])
def test_a_clean_stop_pauses_the_job_and_ends_the_worker(sidecar, shot, has_gone, ending):
    process = sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot(prompt="pause=0.05", num_frames=400))
        client.expect(FrameDone)
        if ending == "Shutdown":
            client.send(Shutdown())
        else:
            process.send_signal(getattr(signal, ending))
        assert client.expect(Paused).job_id == job_id
        assert process.wait(20) == 0
    assert has_gone(sidecar.workers()[0])
    assert not sidecar.connection_file.exists()
    sidecar.start()
    with sidecar.client() as returned:
        assert returned.ask(ListJobs(), Jobs).jobs[0].state == "paused"


def test_two_starts_make_one_sidecar(sidecar):
    racing = [sidecar.launch() for _ in range(4)]
    ready = [sidecar.readiness(process) for process in racing]
    assert len({line["pid"] for line in ready}) == 1
    losers = [process for process in racing if process.pid != ready[0]["pid"]]
    assert [process.wait(20) for process in losers] == [0, 0, 0]
    assert sidecar.log().count(" listens on ") == 1


def test_a_stale_connection_file_does_not_stop_a_start(sidecar, kill):
    kill(sidecar.start().pid)
    stale = sidecar.connection
    assert sidecar.start().pid == sidecar.connection.pid != stale.pid
    with sidecar.client():
        pass


def test_it_ends_with_its_parent(sidecar, shot, kill, has_gone):
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = sidecar.start("--parent", str(parent.pid), "--grace", "1000")
    with sidecar.client() as client:
        client.submit(shot(prompt="pause=0.05", num_frames=400))
        client.expect(Started)
        kill(parent.pid)
        parent.wait()
        for _ in range(20):
            client.expect(FrameDone)
        assert process.poll() is None, "another client is still attached"
    assert process.wait(20) == 0
    assert has_gone(sidecar.workers()[0])


def test_it_ends_when_the_last_client_left_and_the_grace_time_is_over(sidecar):
    process = sidecar.start("--grace", "0.5")
    with sidecar.client(), sidecar.client():
        pass
    assert process.wait(20) == 0


def test_its_log_is_bounded(sidecar, tmp_path):
    code = (
        "import logging, sys; from pathlib import Path; from confiner_server.process.logs import log_to\n"
        "log_to(Path(sys.argv[1]))\nfor _ in range(400): logging.info('x' * 10_000)"
    )
    log = tmp_path / "log" / "sidecar.log"
    subprocess.run([sys.executable, "-c", code, str(log)], env=sidecar.environment, check=True)
    assert sum(path.stat().st_size for path in log.parent.iterdir()) < 4 * 1024 * 1024


def test_a_journal_of_a_later_release_stops_the_start_with_a_sentence(sidecar):
    import sqlite3

    (sidecar.home / "data").mkdir(parents=True)
    journal = sidecar.home / "data" / f"journal-p{PROTOCOL_VERSION}.sqlite3"
    with sqlite3.connect(journal) as db:
        db.execute("PRAGMA user_version = 99")
    command = [sys.executable, "-m", "confiner_cli", "serve"]
    done = subprocess.run(command, env=sidecar.environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "version 99" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_client_that_does_not_read_cannot_hold_it_back(sidecar, shot, eventually):
    """Blender hangs, or is stopped in a debugger, while large frames are on their way to it."""
    process = sidecar.start()
    stuck = (
        "import sys, time\nfrom websockets.sync.client import connect\n"
        "with connect(sys.argv[1], proxy=None, compression=None, max_queue=1) as websocket:\n"
        "    for text in sys.argv[2:]: websocket.send(text)\n"
        "    time.sleep(600)\n"
    )
    with sidecar.client() as client:
        job_id = client.submit(shot(num_frames=40, width=512, height=512))
        client.expect(FrameDone)
        hello = codec.encode(Hello(PROTOCOL_VERSION, sidecar.connection.token, "stuck"))
        address = f"ws://{sidecar.connection.host}:{sidecar.connection.port}"
        words = [sys.executable, "-c", stuck, address, hello, codec.encode(Attach(job_id, 0))]
        hanging = subprocess.Popen(words, env=sidecar.environment)
        try:
            assert eventually(lambda: "stuck attached" in sidecar.log())
            assert isinstance(client.outcome(job_id), Finished), "another client is not held back"
            assert "stuck detached" not in sidecar.log()
            process.terminate()
            assert process.wait(10) == 0
            assert "Traceback" not in sidecar.log()
        finally:
            hanging.kill()
            hanging.wait()
