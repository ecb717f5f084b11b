# SPDX-License-Identifier: GPL-3.0-or-later
"""Which repositories' licences the user has accepted: asked for once, and remembered in the data folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from confiner.chains import ChainSpec
from confiner.chains.repositories import hub_parts

from confiner_blender.protocol.errors import UnusablePlace
from confiner_blender.protocol.private_files import close_to_others, private_folder, read_private, write_whole
from confiner_blender.protocol.rendezvous import data_folder


def accepted_licences() -> frozenset[str]:
    """The repositories by name; none where the file is missing or damaged, so that the question is asked again."""
    try:
        held = json.loads(read_private(_file()))
    except (OSError, ValueError, UnusablePlace):
        return frozenset()
    return frozenset(name for name in held if isinstance(name, str)) if isinstance(held, list) else frozenset()


def accept_licences(repositories: Iterable[str]) -> frozenset[str]:
    """Remember that these are accepted too; returns all of them.

    Raises:
        UnusablePlace: the data folder is a link, or another user's.
    """
    accepted = accepted_licences() | frozenset(repositories)
    close_to_others(private_folder(data_folder()))
    write_whole(_file(), json.dumps(sorted(accepted), indent=1).encode("utf-8"))
    return accepted


def repositories_of(spec: ChainSpec) -> frozenset[str]:
    """Every repository on the hub that the chain takes weights from."""
    return frozenset(part.repository.name for part in hub_parts(spec))


def _file() -> Path:
    return data_folder() / "accepted-licences.json"
