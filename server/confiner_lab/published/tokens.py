# SPDX-License-Identifier: GPL-3.0-or-later
"""A vocabulary in the format of CLIP's tokenizer, without any merges: every text becomes its bytes."""

from __future__ import annotations

START, END = "<|startoftext|>", "<|endoftext|>"


def vocabulary() -> dict[str, int]:
    """Token numbers in CLIP's order: bytes, bytes that end a word, the start and the end of a text."""
    characters = byte_characters()
    tokens = [*characters, *(f"{character}</w>" for character in characters), START, END]
    return {token: number for number, token in enumerate(tokens)}


def merges() -> str:
    """A file of merges that holds none."""
    return "#version: 0.2\n"


def byte_characters() -> list[str]:
    """The printable character that stands for each byte, printable bytes first (Radford et al. 2019, GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]
