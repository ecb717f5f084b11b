# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator cannot do, with the sentence for the user: the one exception of the host."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ...protocol.messages import Problem


class Refusal(Exception):
    """Something that was asked for and is not done. `problem` says why, and what to do."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.problem = Problem(code, message, remedy)


def reporting(execute: Callable[[Any, Any], set[str]]) -> Callable[[Any, Any], set[str]]:
    """An operator's `execute` that ends with a warning where it would raise Refusal."""

    @wraps(execute)
    def reported(self: Any, context: Any) -> set[str]:
        try:
            return execute(self, context)
        except Refusal as refusal:
            self.report({"WARNING"}, str(refusal))
            return {"CANCELLED"}

    return reported
