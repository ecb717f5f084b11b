# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is that was taken for weights: told by its first bytes, with what to do to have the weights."""

from __future__ import annotations

import re
from pathlib import Path

LOOK = 512
"""Bytes that are looked at."""

AGAIN = "download the file again, or name another one in the chain file"

_KINDS: tuple[tuple[str, str, str], ...] = (
    (
        "a web page",
        r"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)",
        "download the file itself: behind “download” on its page, by a link with /resolve/ in place of /blob/",
    ),
    (
        "a pointer of Git LFS and not the file it stands for",
        r"version https?://(git-lfs|hawser)",
        "run `git lfs pull` in its folder, or download the file itself",
    ),
    (
        "a pickled file under another name",
        r"\x80[\x02-\x05]|PK\x03\x04",
        "if you trust where it comes from: give it the ending .ckpt, then confiner convert it",
    ),
    ("weights in the form GGUF", r"GGUF", "download the same weights as safetensors"),
    ("a compressed archive", r"\x1f\x8b|7z\xbc\xaf|BZh|\xfd7zXZ|Rar!", "unpack it, then name the file that was in it"),
    (
        "a message of a server and not a file of weights",
        r"\s*(\{\s*\"(error|message|detail)|Entry not found|Access to model|Invalid (rev|user)|Unauthorized|Not Found)",
        "read it, as it is text; log in or accept the licence if it says so, then download the file again",
    ),
)
"""Each kind, the pattern that its first bytes fit, and the remedy."""

_EMPTY, _ZEROS = "empty", "zeros and nothing else"


def what_is(path: Path) -> str:
    """Such as "a web page"; empty if it is nothing that is known here. Raises OSError if it cannot be read."""
    with path.open("rb") as stream:
        first = stream.read(LOOK)
    if not first:
        return _EMPTY
    if not any(first):
        return _ZEROS
    text = first.decode("latin-1")
    return next((kind for kind, pattern, _ in _KINDS if re.match(pattern, text, re.IGNORECASE)), "")


def remedy_for(kind: str) -> str:
    """What to do about a file of that kind; for one of no known kind, to have it again."""
    return next((remedy for name, _, remedy in _KINDS if name == kind), AGAIN)
