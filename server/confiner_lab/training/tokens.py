# SPDX-License-Identifier: GPL-3.0-or-later
"""A CLIP tokenizer of the world's own words: a known word is one token, an unknown one falls back to letters."""

from __future__ import annotations

import json
import string
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from ..scenery import PERIOD, vocabulary

START, END, WORD_END = "<|startoftext|>", "<|endoftext|>", "</w>"
_CHARACTERS = string.ascii_lowercase + string.digits + string.punctuation


def merges_for(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Byte-pair merges under which each of `words` becomes one token.

    A word's own chain of merges always ranks before those of later words, so later words cannot tear it apart.
    """
    merges: list[tuple[str, str]] = []
    for word in words:
        pieces = _apply(merges, [*word[:-1], word[-1] + WORD_END])
        while len(pieces) > 1:
            merges.append((pieces[0], pieces[1]))
            pieces = [pieces[0] + pieces[1], *pieces[2:]]
    return merges


def _apply(merges: list[tuple[str, str]], pieces: list[str]) -> list[str]:
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    while True:
        pairs = [(ranks[p], i) for i, p in enumerate(pairwise(pieces)) if p in ranks]
        if not pairs:
            return pieces
        _, i = min(pairs)
        pieces = [*pieces[:i], pieces[i] + pieces[i + 1], *pieces[i + 2 :]]


def write_tokenizer(folder: Path, length: int) -> CLIPTokenizer:
    """Make the tokenizer in `folder`, in the files that `CLIPTokenizer.from_pretrained` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    merges = merges_for(vocabulary())
    names = [*_CHARACTERS, *(c + WORD_END for c in _CHARACTERS), *(a + b for a, b in merges)]
    names = [*dict.fromkeys(names), START, END]
    (folder / "vocab.json").write_text(json.dumps({name: index for index, name in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "CLIPTokenizer",
                "model_max_length": length,
                "bos_token": START,
                "eos_token": END,
                "unk_token": END,
                "pad_token": END,
            }
        )
    )
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"<m{moment}>" for moment in range(PERIOD)], special_tokens=True)
    tokenizer.save_pretrained(folder)
    return CLIPTokenizer.from_pretrained(folder)


def encode(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token ids [n, length], padded with the end token."""
    length = tokenizer.model_max_length
    ids = tokenizer(texts, padding="max_length", truncation=True, max_length=length, return_tensors="np").input_ids
    return torch.from_numpy(np.asarray(ids, np.int64))


def with_moments(tokenizer: CLIPTokenizer, ids: Tensor, moments: Tensor) -> Tensor:
    """Put `<m…>` before encoded captions [n, length]; where `moments` [n] is negative, leave them.

    It stands first, so a prompt of any length leaves it whole; what no longer fits is the prompt's own end.
    """
    first = tokenizer.convert_tokens_to_ids("<m0>")
    told = torch.cat([ids[:, :1], (first + moments)[:, None], ids[:, 1:-1]], 1)
    told[:, -1] = tokenizer.eos_token_id
    return torch.where((moments >= 0)[:, None], told, ids)
