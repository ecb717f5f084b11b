# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of weights in safetensors' form, checked before anything in them is used. Pure Python: the listener asks too.

8 bytes     n, the header's length, unsigned, little-endian
n bytes     {"name": {"dtype": "F16", "shape": [2, 3], "data_offsets": [begin, end]}, …, "__metadata__": {…}}
the rest    the tensors' bytes, one tensor behind the other, without a gap
"""

from __future__ import annotations

import functools
import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WeightsDamaged
from .file_kind import AGAIN, remedy_for, what_is

HALF = ".fp16."

LENGTH = 8
LONGEST = 100_000_000
"""Bytes of a header, at most, as safetensors' own reader has it."""

METADATA = "__metadata__"
BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
}
"""How many bits a value of each type has, by its name in a header."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself: the shape of each of its tensors by name, and the text its writer added."""

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]

    @property
    def values(self) -> int:
        """How many values all the tensors have together."""
        return sum(math.prod(shape) for shape in self.shapes.values())


def read_header(path: Path) -> Header:
    """The header of the file at `path`; WeightsDamaged, with what the file is instead, unless all of it is sound."""
    found = _looked_at(path)
    if isinstance(found, WeightsDamaged):
        raise WeightsDamaged(found.seen, found.expected, found.remedy)
    return found


def damage(path: Path) -> WeightsDamaged | None:
    """What is wrong with the first of the files of weights that are read from `path`, a file or a folder, if any is."""
    found = (_looked_at(file) for file in weight_files(path))
    return next((each for each in found if isinstance(each, WeightsDamaged)), None)


def weight_files(path: Path) -> list[Path]:
    """The files of weights that are read from `path`, a file or a folder; none from a tokenizer's."""
    if not path.is_dir():
        return [path]
    half = variant(path) is not None
    return [file for file in sorted(path.glob("*.safetensors")) if (HALF in file.name) == half]


def variant(folder: Path) -> str | None:
    """Which of the weights in `folder` to read: diffusers' name for half precision where there are no others."""
    weights = list(folder.glob("*.safetensors"))
    return "fp16" if weights and all(HALF in file.name for file in weights) else None


def _looked_at(path: Path) -> Header | WeightsDamaged:
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            return _damaged(path, f"{path.name} is no file", AGAIN)
        return _looked_at_once(path, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        return _damaged(path, f"{path.name} cannot be read ({error.strerror or error})", f"see to {path}, or {AGAIN}")


@functools.lru_cache(maxsize=1024)
def _looked_at_once(path: Path, size: int, changed: int) -> Header | WeightsDamaged:
    """`size` and `changed` tell one version of the file from the next. Raises OSError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(LENGTH), "little")
            if size <= LENGTH or not 2 <= length <= LONGEST:
                raise _Unsound("without a header")
            if LENGTH + length > size:
                raise _Unsound(f"cut off in its header, after {size} bytes")
            return _header(stream.read(length), size - LENGTH - length)
    except _Unsound as unsound:
        kind = what_is(path)
        seen = f"{path.name} is {kind}" if kind else f"{path.name} is no whole file of weights: it is {unsound}"
        return _damaged(path, seen, remedy_for(kind))


class _Unsound(Exception):
    """How a file departs from the form."""


def _header(text: bytes, room: int) -> Header:
    """The header that `text` is, over `room` bytes of tensors."""
    try:
        told = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _Unsound("with a header that is no JSON") from error
    if not isinstance(told, dict):
        raise _Unsound("with a header that lists no tensors")
    metadata = told.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _Unsound("with a header whose remarks are no text")
    spans = sorted(_span(name, entry) for name, entry in told.items())
    end = 0
    for begin, stop, name in spans:
        if begin != end:
            raise _Unsound(f"with {name} in a wrong place")
        end = stop
    if end > room:
        raise _Unsound(f"cut off: of {end} bytes of tensors {room} are here")
    if end < room:
        raise _Unsound(f"with {room - end} bytes that belong to no tensor")
    return Header({name: tuple(entry["shape"]) for name, entry in told.items()}, metadata)


def _span(name: str, entry: Any) -> tuple[int, int, str]:
    """Where a tensor's bytes begin and end, as its entry says, if that is as many as its shape takes."""
    entry = entry if isinstance(entry, dict) else {}
    kind, shape, span = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or kind not in BITS:
        raise _Unsound(f"with {name:.80} of the unknown type {kind!r:.40}")
    if not _whole_numbers(shape) or not _whole_numbers(span) or len(span) != 2:
        raise _Unsound(f"without the shape or the place of {name:.80}")
    begin, end = span
    if (end - begin) * 8 != math.prod(shape) * BITS[kind]:
        raise _Unsound(f"with {end - begin} bytes for {name:.80}, expected {math.prod(shape) * BITS[kind] // 8}")
    return begin, end, name


def _whole_numbers(value: Any) -> bool:
    """Whether `value` is a list of such numbers as a file can have; more than 64 bits are none."""
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 2**63 for each in value)


def _damaged(path: Path, seen: str, remedy: str) -> WeightsDamaged:
    return WeightsDamaged(f"{seen} ({path.parent})", "weights as safetensors", remedy)
