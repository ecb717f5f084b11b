# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words of a prompt a chain has never read. Small experts know few, and what they do not know is never hidden."""

from __future__ import annotations

import re

from .spec import ChainSpec

_WORD = re.compile(r"[^\W\d_]+")


def unknown_words(spec: ChainSpec, prompt: str) -> tuple[str, ...]:
    """The prompt's words that `spec` does not list, in order, each once; none where it lists no words at all."""
    known = set(spec.words)
    words = dict.fromkeys(_WORD.findall(prompt.lower())) if known else {}
    return tuple(word for word in words if word not in known)
