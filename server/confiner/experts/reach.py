# SPDX-License-Identifier: GPL-3.0-or-later
"""How far into a prompt an expert reads: tokenizers cut what is too long, and nothing of a prompt is cut in silence."""

from __future__ import annotations

import re
from collections.abc import Callable


def beginning(prompt: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of `prompt` that `fits`: whole words, and of a word that fits nowhere its first letters.

    Words are what stands between spaces; scripts without them make one word of a sentence.
    """
    if fits(prompt):
        return prompt
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", prompt)]
    count = _most(len(words), lambda n: fits(prompt[: words[n - 1][1]]))
    end = words[count - 1][1] if count else 0
    if count < len(words):
        begin, stop = words[count]
        if not fits(prompt[begin:stop]):
            letters = _most(stop - begin, lambda n: fits(prompt[: begin + n]))
            end = begin + letters if letters else end
    return prompt[:end]


def _most(count: int, holds: Callable[[int], bool]) -> int:
    """The greatest number from 1 to `count` that `holds`, which all smaller ones do too; 0 if none does."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
