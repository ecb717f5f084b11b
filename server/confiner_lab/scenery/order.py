# SPDX-License-Identifier: GPL-3.0-or-later
"""Which known words stand side by side in captions, so that a prompt in an order never read can be told from others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from .captions import caption, vocabulary
from .clip import random_clip

_WORD = re.compile(r"[a-z0-9]+")
OPEN = {"colour": 0.06, "shape": 0.06, "ground": 0.12, "time": 0.12}


def known_words(text: str) -> list[str]:
    """The known words of a text, in its order; others are passed over."""
    known = set(vocabulary())
    return [word for word in _WORD.findall(text.lower()) if word in known]


def pairs_of(texts: Iterable[str], *, least: int = 2) -> set[tuple[str, str]]:
    """Pairs of neighbouring words that occur at least so often. A word that nobody taught parts its neighbours."""
    known = set(vocabulary())
    counts: Counter[tuple[str, str]] = Counter()
    for text in texts:
        words = _WORD.findall(text.lower())
        counts.update(pair for pair in pairwise(words) if known.issuperset(pair))
    return {pair for pair, count in counts.items() if count >= least}


def pairs(count: int = 60000, seed: int = 1) -> dict[str, list[str]]:
    """Of each word those that may follow it, by `count` captions."""
    rng = np.random.Generator(np.random.Philox(seed))
    texts = (
        caption(random_clip(rng), rng, omit=[name for name, share in OPEN.items() if rng.random() < share])
        for _ in range(count)
    )
    after: dict[str, list[str]] = {word: [] for word in vocabulary()}
    for first, second in sorted(pairs_of(texts)):
        after[first].append(second)
    return after
