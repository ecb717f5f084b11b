# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that people have in the place of weights, made from a whole one: by name, what each is called in a sentence."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

LENGTH = 8


def parted(whole: bytes) -> tuple[dict[str, Any], bytes]:
    """A file's header and its tensors' bytes."""
    end = LENGTH + int.from_bytes(whole[:LENGTH], "little")
    return json.loads(whole[LENGTH:end]), whole[end:]


def joined(header: Any, tensors: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(LENGTH, "little") + text + tensors


def changed(**values: Any) -> Callable[[bytes], bytes]:
    """The file with other values in the entry of its last tensor."""

    def change(whole: bytes) -> bytes:
        header, tensors = parted(whole)
        last = max((name for name in header if name != "__metadata__"), key=lambda name: header[name]["data_offsets"])
        header[last] |= {key: value(header[last][key]) if callable(value) else value for key, value in values.items()}
        return joined(header, tensors)

    return change


def zipped(whole: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", whole[:100])
    return file.getvalue()


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda whole: b"", "is empty"),
    "five bytes": (lambda whole: whole[:5], "without a header"),
    "zeros": (lambda whole: bytes(len(whole)), "is zeros and nothing else"),
    "web page": (lambda whole: b"\n<!doctype html>\n<html class=''><head>" + b" " * 60000, "is a web page"),
    "web page in capitals": (lambda whole: b"\xef\xbb\xbf<HTML>", "is a web page"),
    "pointer": (
        lambda whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 42\n",
        "is a pointer of Git LFS",
    ),
    "refusal": (lambda whole: b'{"error":"Repository not found"}', "is a message of a server"),
    "pickled": (zipped, "is a pickled file under another name"),
    "old pickled": (lambda whole: b"\x80\x02}q\x00.", "is a pickled file under another name"),
    "gguf": (lambda whole: b"GGUF\x03\0\0\0" + bytes(100), "in the form GGUF"),
    "cut in its header": (lambda whole: whole[:200], "cut off in its header"),
    "cut in its tensors": (lambda whole: whole[:-500], "cut off: of "),
    "longer": (lambda whole: whole + b"more", "4 bytes that belong to no tensor"),
    "header of 2**62 bytes": (lambda whole: (2**62).to_bytes(LENGTH, "little") + whole[LENGTH:], "without a header"),
    "header of 2**40 bytes": (lambda whole: (2**40).to_bytes(LENGTH, "little") + whole[LENGTH:], "without a header"),
    "no JSON": (lambda whole: joined(b"{" * 3000, parted(whole)[1]), "with a header that is no JSON"),
    "deep JSON": (lambda whole: joined(b"[" * 200_000, b""), "with a header that is no JSON"),
    "no text": (lambda whole: joined(b'{"\xff": 1}', b""), "with a header that is no JSON"),
    "a list": (lambda whole: joined([1, 2], b""), "with a header that lists no tensors"),
    "a tensor that is a number": (lambda whole: joined({"x": 3}, b""), "x of the unknown type"),
    "remarks of numbers": (lambda whole: joined({"__metadata__": {"a": 1}}, b""), "whose remarks are no text"),
    "beyond the end": (changed(data_offsets=lambda at: [at[0] + 2**40, at[1] + 2**40]), "in a wrong place"),
    "over another": (changed(data_offsets=lambda at: [at[0] - 4, at[1] - 4]), "in a wrong place"),
    "too few bytes": (changed(shape=lambda shape: [*shape, 1000]), "bytes for "),
    "a shape of text": (changed(shape="large"), "without the shape or the place"),
    "a negative shape": (changed(shape=lambda shape: [-1]), "without the shape or the place"),
    "a shape of truths": (changed(shape=lambda shape: [True]), "without the shape or the place"),
    "unknown type": (changed(dtype="float32"), "of the unknown type 'float32'"),
    "type of a number": (changed(dtype=32), "of the unknown type 32"),
}
