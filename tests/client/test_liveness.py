# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process lives: ours, others', dead ones, and dead ones that nobody has collected."""

import os
import subprocess
import sys

import pytest

from confiner_blender.client.sidecar_process.liveness import alive
from tests.client.sidecar_double import eventually


def test_this_process_and_the_first_one_live() -> None:
    assert alive(os.getpid())
    assert alive(1 if sys.platform != "win32" else os.getppid())


@pytest.mark.parametrize("pid", [0, -1])
def test_what_is_no_process_does_not_live(pid: int) -> None:
    assert not alive(pid)


def test_a_child_that_ended_does_not_live_though_nobody_collected_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.read() == b""  # it has closed its output: it is ending
    child.stdout.close()
    eventually(lambda: not alive(child.pid))
    child.wait()
