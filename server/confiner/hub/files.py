# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the hub which files a chain still lacks, how large they are, and under which licence they stand.

Everything is found out and refused here, before the first byte of a file is asked for.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

from huggingface_hub import HfApi, ModelInfo
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from ..chains import ChainSpec
from ..chains.repositories import PERMISSIVE, Part, Repository, files_to_load, hub_parts, known_repository
from ..chains.tensor_file import damage
from ..chains.weight_source import PICKLED, hub_cache
from ..errors import DownloadFailed, LicenceNotAccepted, WeightsMissing

log = logging.getLogger(__name__)

HTTP_ERROR = cast(type[Exception], HfHubHTTPError.__bases__[0])
"""Everything that goes wrong on the line. The hub's client is built on httpx or on its successor, by its version."""


@dataclass(frozen=True)
class HubFile:
    """One file of one version of a repository. `sha256` is None for small files, which the hub keeps as text."""

    repository: str
    commit: str
    name: str
    size: int
    sha256: str | None
    part: Part

    @property
    def pickled(self) -> bool:
        return PurePosixPath(self.name).suffix in PICKLED

    @property
    def folder(self) -> Path:
        """The repository's folder in the hub's cache."""
        return hub_cache() / f"models--{self.repository.replace('/', '--')}"

    @property
    def blob(self) -> Path:
        """Where a large file's content is kept, under its hash."""
        return self.folder / "blobs" / str(self.sha256)

    @property
    def whole(self) -> bool:
        """Whether the large file's content is here: all of it, and weights if it is to be weights."""
        if not self.blob.is_file() or self.blob.stat().st_size != self.size:
            return False
        return PurePosixPath(self.name).suffix != ".safetensors" or damage(self.blob) is None

    @property
    def laid(self) -> Path:
        """Where the hub's client lays the file for those who read it."""
        return self.folder / "snapshots" / self.commit / self.name

    @property
    def unfinished(self) -> Path:
        """What is there of a file whose download was interrupted."""
        return self.blob.with_name(f"{self.sha256}.incomplete")

    @property
    def remaining(self) -> int:
        """Bytes that are not here yet."""
        if self.sha256 is None:
            return self.size
        if self.whole:
            return 0
        return self.size - (min(self.unfinished.stat().st_size, self.size) if self.unfinished.exists() else 0)


def hub_api() -> HfApi:
    """The hub, or whatever HF_ENDPOINT names in its place."""
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


def missing_files(spec: ChainSpec, *, accepted: Collection[str], named: Collection[str]) -> list[HubFile]:
    """The files that `spec` lacks on this machine.

    `accepted` are the repositories whose licence a person has accepted, `named` the pickled files that one allows.

    Raises:
        LicenceNotAccepted: a repository's terms are to be read first.
        WeightsMissing: a file is pickled and nobody has named it, or the repository does not have it.
        DownloadFailed: the hub cannot be reached, is switched off, or does not give the repository.
    """
    parts = [part for part in hub_parts(spec) if not part.there and not part.place.pickled()]
    _check_licences(spec, {part.repository: part for part in reversed(parts)}, accepted)
    for part in parts:
        _check_named(spec, part, part.pickled, named)
    listed: dict[str, ModelInfo] = {}
    found: dict[tuple[str, str], HubFile] = {}
    for part in parts:
        name = part.repository.name
        if name not in listed:
            if (info := _ask(spec, part)) is None:
                continue
            listed[name] = info
            _check_licences(spec, {_described(info): part}, accepted)
        for file in _files(spec, part, listed[name]):
            _check_named(spec, part, PurePosixPath(file.name).name if file.pickled else "", named)
            found.setdefault((name, file.name), file)
    return list(found.values())


def _ask(spec: ChainSpec, part: Part) -> ModelInfo | None:
    """What the hub has of a part's repository; None where it does not give an optional one."""
    try:
        with hub_errors(spec, part):
            return hub_api().model_info(part.repository.name, files_metadata=True)
    except DownloadFailed as error:
        if not part.optional:
            raise
        log.warning("%s; the chain runs without it", error)
        return None


def _files(spec: ChainSpec, part: Part, info: ModelInfo) -> Iterator[HubFile]:
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or []}
    names = files_to_load(siblings, part.inside)
    if not names:
        seen = f"{spec.where(*part.path)}: no {part.inside or 'model'} in {info.id}"
        raise WeightsMissing(seen, "a path in the repository", "correct the chain file")
    for name in names:
        sibling = siblings[name]
        digest = sibling.lfs.sha256 if sibling.lfs is not None else None
        yield HubFile(info.id, str(info.sha), name, sibling.size or 0, digest, part)


def _described(info: ModelInfo) -> Repository:
    """What is known of the repository; if nothing was, what its own page says."""
    known = known_repository(info.id)
    if known.licence:
        return known
    card: Any = info.card_data or {}
    licence = str(card.get("license") or "a licence that its page does not name")
    terms = "" if licence.lower() in PERMISSIVE else "read it on its page"
    return Repository(info.id, licence, terms)


def _check_licences(spec: ChainSpec, asked: Mapping[Repository, Part], accepted: Collection[str]) -> None:
    """Name all the terms that are still to be accepted, at once."""
    open_ = {repository: part for repository, part in asked.items() if repository.terms}
    open_ = {repository: part for repository, part in open_.items() if repository.name not in accepted}
    if not open_:
        return
    terms = [f"{each.name} stands under {each.licence} ({each.terms})" for each in reversed(open_)]
    raise LicenceNotAccepted(
        f"{spec.where(*next(reversed(open_.values())).path)}: {', '.join(terms)}",
        "that these licences are accepted, once",
        f"read them, then: confiner fetch {spec.name} --accept-licence",
    )


def _check_named(spec: ChainSpec, part: Part, pickled: str, named: Collection[str]) -> None:
    if pickled and pickled not in named:
        raise WeightsMissing(
            f"{spec.where(*part.path)}: {pickled} is a pickled file, which can carry code",
            "safetensors, or that you name it",
            f"if you trust {part.repository.name}: confiner fetch {spec.name} --pickled {pickled}",
        )


@contextmanager
def hub_errors(spec: ChainSpec, part: Part) -> Iterator[None]:
    """What the hub's client raises, as DownloadFailed with the line of the chain file."""
    where, name = spec.where(*part.path), part.repository.name
    try:
        yield
    except OfflineModeIsEnabled as error:
        remedy = (
            "unset HF_HUB_OFFLINE (in Blender: allow online access, then restart the sidecar), "
            "or copy the hub's cache folder from a machine that has these weights"
        )
        raise DownloadFailed(f"{where}: the hub is switched off by HF_HUB_OFFLINE", "the hub", remedy) from error
    except GatedRepoError as error:
        remedy = "ask for access on its page, then log in: hf auth login"
        raise DownloadFailed(f"{where}: {name} is open to named people only", "access to it", remedy) from error
    except RepositoryNotFoundError as error:
        seen, remedy = f"{where}: the hub has no {name}", "correct the chain file; a private one needs hf auth login"
        raise DownloadFailed(seen, "a repository, owner/name", remedy) from error
    except HTTP_ERROR as error:
        seen = f"{where}: {name} cannot be fetched ({str(error).strip().splitlines()[0] or type(error).__name__})"
        remedy = "look after the connection, then fetch again: it goes on where it stopped"
        raise DownloadFailed(seen, "an answer of the hub", remedy) from error
