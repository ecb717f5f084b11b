# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's last message always says how it ended."""

import threading
from collections.abc import Callable

from confiner_blender.client.background_task import Done, GaveUp, Task
from confiner_blender.client.errors import ClientError, Hop, Stopped
from confiner_blender.protocol.messages import Problem

PROBLEM = Problem("code", "what happened", "what to do")


def told(work: Callable[[Callable[[str], None], threading.Event], None]) -> list[str | Done | GaveUp]:
    """Everything a task says, run to its end."""
    task: Task[str] = Task("task", work)
    task.start()
    said: list[str | Done | GaveUp] = []
    while not said or isinstance(said[-1], str):
        said.append(task.inbox.get(timeout=10))
    task.stop()
    return said


def test_what_goes_well_is_reported_and_done() -> None:
    assert told(lambda post, stop: post("half")) == ["half", Done()]


def test_a_known_failure_carries_its_problem_and_the_hop() -> None:
    def fail(post: Callable[[str], None], stop: threading.Event) -> None:
        raise ClientError(Hop.WORKER, PROBLEM, "the log")

    assert told(fail) == [GaveUp(PROBLEM, "the log", Hop.WORKER)]


def test_a_defect_is_a_problem_with_its_traceback() -> None:
    (gave_up,) = told(lambda post, stop: post(str(1 // 0)))
    assert isinstance(gave_up, GaveUp)
    assert gave_up.problem is not None
    assert gave_up.problem.code == "internal"
    assert "ZeroDivisionError" in gave_up.log_tail


def test_a_task_that_is_stopped_ends_without_a_problem() -> None:
    def wait(post: Callable[[str], None], stop: threading.Event) -> None:
        stop.wait(60)
        raise Stopped

    task: Task[str] = Task("task", wait)
    task.start()
    task.stop()
    assert task.inbox.get(timeout=10) == GaveUp()
