# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine has told pip, told to uv, which reads neither pip's files nor its variables.

A studio's own package index, a folder of wheels, a certificate: whoever set these up set them up for pip.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence

NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
SOURCES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS")
SECTIONS = ("global", "install", ":env:")
"""Where pip's settings for an installation stand; the later ones count for more."""


def for_uv(listed: Sequence[str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables for uv from the lines of `pip config list`; what `environment` tells uv already stands."""
    told: dict[str, str] = {}
    for section in SECTIONS:
        for line in listed:
            key, _, value = line.partition("=")
            name = NAMES.get(key.rpartition(".")[2])
            if name is not None and key.rpartition(".")[0] == section and (words := _words(value)):
                told[name] = ("," if name == "UV_FIND_LINKS" else " ").join(words)
    if "UV_INDEX" in told:
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip does: the best of all indexes, whichever has it
    return {name: value for name, value in told.items() if name not in environment}


def _words(value: str) -> list[str]:
    """The parts of a setting as pip prints it, in quotes; none of what is no setting."""
    try:
        return str(ast.literal_eval(value)).split()
    except (ValueError, SyntaxError):
        return []
