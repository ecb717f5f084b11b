# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator cannot do, with the sentence for the user: the one exception of the host."""

from __future__ import annotations

from ..protocol.messages import Problem


class Refusal(Exception):
    """Something that was asked for and is not done. `problem` says why, and what to do."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.problem = Problem(code, message, remedy)
