# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command raises when the person who typed it can mend it."""


class CommandError(Exception):
    """One sentence that says what was seen and expected, and one that says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy
