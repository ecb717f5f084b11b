# SPDX-License-Identifier: GPL-3.0-or-later
"""An error as it travels and as a panel shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """An error as a person should read it: a stable code, what happened, and what to do about it."""

    code: str
    message: str
    remedy: str
