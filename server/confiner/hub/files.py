# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the hub which files a chain still lacks, how large they are, and under which licence they stand.

Everything is found out and refused here, before the first byte of a file is asked for.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import ModelInfo, constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from ..chains import ChainSpec
from ..chains.repositories import PERMISSIVE, Part, Repository, files_to_load, hub_parts, known_repository
from ..chains.tensor_file import damage
from ..chains.weight_source import PICKLED, hub_cache
from ..errors import DownloadFailed, LicenceNotAccepted, WeightsMissing
from .answers import NotTheFile, describe
from .refusals import check_line, hub_errors

log = logging.getLogger(__name__)

PUBLIC = "https://huggingface.co"
LISTING_PATIENCE = 30.0
"""Seconds in which a list of files shall begin to come: the hub has to put a long one together."""


@dataclass(frozen=True)
class HubFile:
    """One file of one version of a repository, `size` bytes long.

    The hub names a hash of it: of a large file `sha256`, of a small one, which it keeps as text, `git_sha1`, as git has
    it for a blob. Other servers that speak as the hub does may name none.
    """

    repository: str
    commit: str
    name: str
    size: int
    sha256: str | None
    part: Part
    git_sha1: str | None = None

    @property
    def pickled(self) -> bool:
        return PurePosixPath(self.name).suffix in PICKLED

    @property
    def url(self) -> str:
        return hf_hub_url(self.repository, self.name, revision=self.commit, endpoint=hub_endpoint())

    @property
    def folder(self) -> Path:
        """The repository's folder in the hub's cache."""
        return hub_cache() / f"models--{self.repository.replace('/', '--')}"

    @property
    def key(self) -> str:
        """What its content is called in the cache: its hash, if it has one."""
        unnamed = hashlib.sha1(f"{self.commit}/{self.name}".encode()).hexdigest()
        return self.sha256 or self.git_sha1 or unnamed

    @property
    def blob(self) -> Path:
        """Where its content is kept."""
        return self.folder / "blobs" / self.key

    @property
    def unfinished(self) -> Path:
        """What is there of a file whose download was interrupted."""
        return self.blob.with_name(f"{self.key}.incomplete")

    @property
    def place(self) -> Path:
        """Where it is looked for: a link to its content, or on a disk without links the content itself."""
        return self.folder / "snapshots" / self.commit / self.name

    @property
    def there(self) -> bool:
        """Whether its content has come: all of it, and weights if it is to be weights."""
        here = [path for path in (self.blob, self.place) if path.is_file() and path.stat().st_size == self.size]
        if PurePosixPath(self.name).suffix == ".safetensors":
            return any(damage(path) is None for path in here)
        return bool(here)

    @property
    def remaining(self) -> int:
        """Bytes that are not here yet."""
        if self.there:
            return 0
        return self.size - (min(self.unfinished.stat().st_size, self.size) if self.unfinished.exists() else 0)


def hub_endpoint() -> str:
    """The hub's address, or whatever HF_ENDPOINT names in its place."""
    return os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or constants.ENDPOINT or PUBLIC


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
    if parts:
        check_line(spec, parts[0], hub_endpoint())
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
            return _listing(part.repository.name)
    except DownloadFailed as error:
        if not part.optional:
            raise
        log.warning("%s; the chain runs without it", error)
        return None


def _listing(repository: str) -> ModelInfo:
    """What the hub says of a repository: `HfApi.model_info`, but that an answer which is none can be told."""
    response = get_session().get(
        f"{hub_endpoint()}/api/models/{repository}",
        headers=build_hf_headers(),
        params={"blobs": "true"},
        timeout=max(LISTING_PATIENCE, constants.HF_HUB_DOWNLOAD_TIMEOUT),
    )
    hf_raise_for_status(response)
    try:
        info = ModelInfo(**response.json())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotTheFile(f"{describe(response)}, in place of a list of files") from error
    if not info.sha or info.siblings is None:
        raise NotTheFile(f"{describe(response)}, in place of a list of files")
    return info


def _files(spec: ChainSpec, part: Part, info: ModelInfo) -> Iterator[HubFile]:
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or []}
    names = files_to_load(siblings, part.inside)
    if not names:
        seen = f"{spec.where(*part.path)}: no {part.inside or 'model'} in {info.id}"
        raise WeightsMissing(seen, "a path in the repository", "correct the chain file")
    for name in names:
        sibling, commit = siblings[name], str(info.sha)
        if sibling.size is None:
            with hub_errors(spec, part):
                yield _measured(info.id, commit, name, part)
        else:
            digest = sibling.lfs.sha256 if sibling.lfs is not None else None
            yield HubFile(info.id, commit, name, sibling.size, digest, part, None if digest else sibling.blob_id)


def _measured(repository: str, commit: str, name: str, part: Part) -> HubFile:
    """A file of which the list does not say how large it is: its own headers do."""
    url = hf_hub_url(repository, name, revision=commit, endpoint=hub_endpoint())
    told = get_hf_file_metadata(url, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)
    if told.size is None:
        raise NotTheFile(f"{hub_endpoint()} does not say how large {name} is")
    digest = told.etag if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", told.etag or "") else None
    long = digest is not None and len(digest) == 64
    return HubFile(repository, commit, name, told.size, digest if long else None, part, None if long else digest)


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
