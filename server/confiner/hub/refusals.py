# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the hub does not give what was asked for: sentences that name who said what, and what to do about it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from huggingface_hub import get_token
from huggingface_hub.errors import FileMetadataError, GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.utils import get_session

from ..chains import ChainSpec
from ..chains.repositories import Part
from ..errors import DownloadFailed
from .answers import HTTP_ERROR, NotTheFile, describe, describe_failure

PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
GO_ON = "then fetch again: it goes on where it stopped"


def check_line(spec: ChainSpec, part: Part, endpoint: str) -> None:
    """Refuse settings with which nobody could be asked: an address, a proxy's kind, a file of certificates."""
    if not _is_address(endpoint):
        seen = f"{spec.where(*part.path)}: the hub's address is {endpoint!r}"
        raise DownloadFailed(seen, "one like https://host", "correct HF_ENDPOINT, or unset it")
    try:
        get_session()
    except Exception as error:  # making it opens no line: whatever it raises is about a setting
        set_ = [f"{name}={_without_password(os.environ[name])}" for name in _proxy_variables()]
        about = f" under {', '.join(set_)}" if set_ else ""
        said = describe_failure(error)
        seen = f"{spec.where(*part.path)}: no line to the hub can be set up{about} ({said})"
        remedy = "name an HTTP proxy as http://host:port, or unset the variable"
        if isinstance(error, ImportError):
            remedy = f"{remedy}; for a SOCKS proxy: {sys.executable} -m pip install socksio"
        elif not set_:
            remedy = "correct the variable that it names, such as SSL_CERT_FILE"
        raise DownloadFailed(seen, "settings that the hub's client can use", remedy) from error


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _proxy_variables() -> list[str]:
    names = [spelled for name in PROXIES for spelled in (name, name.lower())]
    return [name for name in names if os.environ.get(name)]


def _without_password(address: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", address)


@contextmanager
def hub_errors(spec: ChainSpec, part: Part) -> Iterator[None]:
    """What the hub's client raises, and an answer that is none, as DownloadFailed with the line of the chain file."""
    where, name = spec.where(*part.path), part.repository.name
    try:
        yield
    except OfflineModeIsEnabled as error:
        remedy = (
            "unset HF_HUB_OFFLINE (in Blender: allow online access, then restart the sidecar), "
            "or copy the hub's cache folder from a machine that has these weights"
        )
        raise DownloadFailed(f"{where}: the hub is switched off by HF_HUB_OFFLINE", "the hub", remedy) from error
    except (HTTP_ERROR, FileMetadataError, NotTheFile) as error:
        raise _refused(where, name, error) from error


def _refused(where: str, name: str, error: Exception) -> DownloadFailed:
    """Why the hub does not give what was asked for, as far as it can be told from `error`."""
    response = getattr(error, "response", None)
    if response is not None and response.status_code == 401 and get_token():
        remedy = "log in anew (hf auth login) or unset HF_TOKEN: what is public needs no token"
        seen = f"{where}: the hub does not take this machine's token (HF_TOKEN, or the one of hf auth login)"
        return DownloadFailed(f"{seen}: it has expired or is mistyped", "a token that holds, or none", remedy)
    if isinstance(error, GatedRepoError):
        remedy = "ask for access on its page, then log in: hf auth login"
        return DownloadFailed(f"{where}: {name} is open to named people only", "access to it", remedy)
    if isinstance(error, RepositoryNotFoundError):
        seen, remedy = f"{where}: the hub has no {name}", "correct the chain file; a private one needs hf auth login"
        return DownloadFailed(seen, "a repository, owner/name", remedy)
    if isinstance(error, NotTheFile) or response is not None:
        said = str(error) if response is None else describe(response)
        remedy = f"if a proxy or a filter says so, have the hub allowed there, or set HF_ENDPOINT to a mirror; {GO_ON}"
        return DownloadFailed(f"{where}: {name} cannot be fetched: {said}", "an answer of the hub", remedy)
    through = f", and the proxy ({', '.join(_proxy_variables())})" if _proxy_variables() else ""
    seen = f"{where}: {name} cannot be fetched ({describe_failure(error)})"
    return DownloadFailed(seen, "an answer of the hub", f"look after the connection{through}, {GO_ON}")
