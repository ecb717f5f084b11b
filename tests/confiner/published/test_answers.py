# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a machine and the hub answers in its place: a download ends with a sentence, or goes on."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confiner.chains import ChainSpec, read_chains
from confiner.errors import DownloadFailed
from confiner.hub.download import download

from tests.hub_server import LARGE, Handler, Hub, serving

ALL = (
    "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "ByteDance/AnimateDiff-Lightning",
    "ali-vilab/text-to-video-ms-1.7b",
)
PAGE = b"<html><head><style>p {}</style></head><body><p>This site is <b>blocked</b> &amp; logged.</p></body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}

Manner = Callable[["Between", bytes, int], None]
"""How the content of a large file is answered: the handler, the content, and the byte from which it was asked for."""


class Between(Handler):
    """The hub behind something that answers for large files as its `manner` is."""

    manner: Manner
    asked: list[int]
    """The bytes from which it was asked."""

    def _give(self, path: Path, send: bool) -> None:
        if path.suffix not in LARGE or not send:
            super()._give(path, send)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.asked.append(start)
        type(self).manner(self, path.read_bytes(), start)

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        """An answer that is whole in itself."""
        self._head(status, {"Content-Length": str(len(body)), **headers})
        self.wfile.write(body)

    def begin(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """An answer after which the line breaks."""
        self._head(status, headers)
        self.wfile.write(body)
        self.close_connection = True

    def chunked(self, headers: dict[str, str], *pieces: bytes) -> None:
        self._head(200, {"Transfer-Encoding": "chunked", **headers})
        for piece in (*pieces, b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def part(self, data: bytes, start: int, stop: int) -> None:
        """The bytes from `start` up to `stop`, and said to be all of the rest."""
        status = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        headers = {"Content-Length": str(len(data) - start), "Content-Type": "application/octet-stream", **status}
        self.begin(206 if start else 200, headers, data[start:stop])


@pytest.fixture
def between(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    """Puts a manner between this process and the hub; gives the handler."""
    servers = []

    def put(manner: Manner) -> type[Between]:
        handler = type("Handler", (Between,), {"manner": manner, "asked": [], "hub": hub})
        servers.append(serving(hub, handler))
        monkeypatch.setenv("HF_ENDPOINT", servers[-1].__enter__())
        return handler

    monkeypatch.setattr("confiner.hub.transfer.PAUSE", 0.01)
    yield put
    for server in servers:
        server.__exit__(None, None, None)


def chain() -> ChainSpec:
    return read_chains()["confiner-s/modelscope"]


def fetch(spec: ChainSpec) -> list[object]:
    return list(download(spec, accepted=ALL))


def page(line: Between, data: bytes, start: int) -> None:
    line.answer(200, HTML, PAGE)


def page_of_unknown_length(line: Between, data: bytes, start: int) -> None:
    line.chunked(HTML, PAGE)


def page_without_a_type(line: Between, data: bytes, start: int) -> None:
    line.answer(200, {}, PAGE)


def text_until_the_line_ends(line: Between, data: bytes, start: int) -> None:
    line.begin(200, {"Connection": "close"}, b"come back later")


def json_in_its_place(line: Between, data: bytes, start: int) -> None:
    line.chunked({"Content-Type": "application/json"}, b'{"error": "quota exceeded"}')


def empty(line: Between, data: bytes, start: int) -> None:
    line.answer(200, {})


def nothing(line: Between, data: bytes, start: int) -> None:
    line.close_connection = True


def promised(line: Between, data: bytes, start: int) -> None:
    line.part(data, start, start)


def always_the_beginning(line: Between, data: bytes, start: int) -> None:
    line.part(data, 0, 1000)


def endless(line: Between, data: bytes, start: int) -> None:
    line.chunked({}, data, data)


def another_part(line: Between, data: bytes, start: int) -> None:
    line.answer(206, {"Content-Range": f"bytes 7-16/{len(data)}"}, data[7:17])


def part_of_nothing(line: Between, data: bytes, start: int) -> None:
    line.answer(206, {}, data[start : start + 10])


def no_content(line: Between, data: bytes, start: int) -> None:
    line._head(204, {})


def round_and_round(line: Between, data: bytes, start: int) -> None:
    line.answer(302, {"Location": line.path})


def redirected_nowhere(line: Between, data: bytes, start: int) -> None:
    line.answer(302, {})


def forbidden(line: Between, data: bytes, start: int) -> None:
    line.answer(403, HTML, PAGE)


def proxy_wants_a_name(line: Between, data: bytes, start: int) -> None:
    line.answer(407, {"Proxy-Authenticate": "Basic"}, b"")


def come_back_in_an_hour(line: Between, data: bytes, start: int) -> None:
    line.answer(503, {"Retry-After": "3600", "Content-Type": "text/plain"}, b"Service is down for the night")


def too_many(line: Between, data: bytes, start: int) -> None:
    line.answer(429, {})


@pytest.mark.parametrize(
    ("manner", "sentence", "most"),
    [
        (page, "answered 200 OK, text/html, 106 bytes, “This site is blocked & logged.”", 5),
        (page_of_unknown_length, "text/html, “This site is blocked & logged.”", 5),
        (page_without_a_type, "no content type, 106 bytes, in place of", 5),
        (text_until_the_line_ends, "ended its answer after 15 of", 5),
        (json_in_its_place, "ended its answer after 27 of", 5),
        (empty, "answered 200 OK, no content type, 0 bytes, in place of", 5),
        (nothing, "127.0.0.1: Server disconnected", 5),
        (promised, "127.0.0.1: peer closed connection", 5),
        (always_the_beginning, "127.0.0.1: peer closed connection", 6),
        (endless, "sends more than the file's", 5),
        (another_part, "answered 206 Partial Content.*bytes 7-16", 5),
        (part_of_nothing, "answered 206 Partial Content.*in place of the bytes from 0 on", 5),
        (no_content, "answered 204 No Content", 5),
        (round_and_round, "127.0.0.1: .*redirects", 21),
        (redirected_nowhere, "answered 302 Found", 5),
        (forbidden, "answered 403 Forbidden, text/html, 106 bytes, “This site is blocked & logged.”", 1),
        (proxy_wants_a_name, "answered 407 Proxy Authentication Required", 1),
        (come_back_in_an_hour, "answered 503.*to be asked again in 3600 s, “Service is down for the night”", 1),
        (too_many, "answered 429 Too Many Requests", 5),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_not_the_file_ends_after_a_few_tries_and_is_named(
    between, manner: Manner, sentence: str, most: int, tmp_path: Path
) -> None:
    line = between(manner)
    with pytest.raises(DownloadFailed, match=rf"line \d+.*cannot be fetched.*{sentence}") as refused:
        fetch(chain())
    assert 1 <= len(line.asked) <= most
    assert "goes on where it stopped" in refused.value.remedy
    assert chain().missing
    assert not [path for path in tmp_path.rglob("*.safetensors") if path.exists()]


def interrupted(line: Between, data: bytes, start: int) -> None:
    line.part(data, start, start + len(data) // 12)


def never_from_the_middle(line: Between, data: bytes, start: int) -> None:
    line.part(data, 0, start + len(data) // 12)


def in_small_parts(line: Between, data: bytes, start: int) -> None:
    stop = min(start + len(data) // 12 + 1, len(data))
    line.answer(206, {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}, data[start:stop])


def of_unknown_length(line: Between, data: bytes, start: int) -> None:
    line.chunked({}, data)


@pytest.mark.parametrize("manner", [interrupted, never_from_the_middle, in_small_parts, of_unknown_length])
def test_what_progresses_goes_on_through_any_number_of_interruptions(between, manner: Manner) -> None:
    line = between(manner)
    steps = fetch(chain())
    assert chain().missing == ""
    assert steps[-1].received == steps[-1].total
    assert manner is of_unknown_length or len(line.asked) > 50, "far more than the tries of a line that brings nothing"


def test_what_a_filter_left_behind_is_brought_anew(hub: Hub, between, tmp_path: Path) -> None:
    """An unfinished file that holds pages, one behind the other."""
    between(always_the_beginning)
    with pytest.raises(DownloadFailed):
        fetch(chain())
    (unfinished,) = tmp_path.rglob("*.incomplete")
    unfinished.write_bytes(PAGE * 20)
    between(lambda line, data, start: line.part(data, start, len(data)))
    steps = fetch(chain())
    assert chain().missing == ""
    assert steps[-1].received == steps[-1].total


def test_small_files_are_held_to_their_hash_too(hub: Hub, between) -> None:
    class Changed(Handler):
        def _give(self, path: Path, send: bool) -> None:
            if path.name == "config.json" and send:
                self._head(200, {"Content-Length": str(path.stat().st_size)})
                self.wfile.write(path.read_bytes().replace(b"a", b"e", 1))
            else:
                super()._give(path, send)

    with serving(hub, Changed) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", address)
        with pytest.raises(DownloadFailed, match=r"config\.json .* has come damaged"):
            fetch(chain())
    assert chain().missing


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (
            PAGE,
            "text/html",
            "text/html, 106 bytes, “This site is blocked & logged.”, in place of a list of files",
        ),
        (b"", "application/json", "200 OK, application/json, 0 bytes, in place of a list of files"),
        (b'{"error": "quota"}', "application/json", '“{"error": "quota"}”, in place of a list of files'),
        (b'{"id": "a/b"}', "application/json", "in place of a list of files"),
        (b"[1]", "application/json", "in place of a list of files"),
    ],
)
def test_a_list_that_is_none_is_said(hub: Hub, monkeypatch, body: bytes, kind: str, sentence: str) -> None:
    class Portal(Handler):
        def _tell_of(self, repository: str) -> None:
            self._head(200, {"Content-Type": kind, "Content-Length": str(len(body))})
            self.wfile.write(body)

    with serving(hub, Portal) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(DownloadFailed, match=rf"line \d+.*cannot be fetched: 127\.0\.0\.1 answered.*{sentence}"):
            fetch(chain())


def test_a_hub_that_names_neither_size_nor_hash_is_asked_file_by_file(hub: Hub) -> None:
    def bare(name: str, told=hub.info) -> dict[str, object]:
        return told(name) | {"siblings": [{"rfilename": each["rfilename"]} for each in told(name)["siblings"]]}

    hub.info = bare  # type: ignore[method-assign]
    steps = fetch(chain())
    assert steps[-1].received == steps[-1].total > 10e6
    assert chain().missing == ""


def test_a_disk_without_links_holds_everything_once(hub: Hub, tmp_path: Path, monkeypatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "symlink", refused)
    steps = fetch(chain())
    assert chain().missing == ""
    held = sum(path.lstat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert held < 1.01 * steps[-1].total
    hub.requests.clear()
    assert fetch(chain())[-1].total == 0
    assert hub.requests == []


# --- `confiner fetch`, in a process of its own


def said_by(process: subprocess.Popen[str], seconds: float = 60) -> str:
    _, errors = process.communicate(timeout=seconds)
    assert process.returncode == 2, errors
    assert "Traceback" not in errors
    return errors


def test_a_blocked_download_ends_within_a_minute(between, start) -> None:
    line = between(page)
    began = time.monotonic()
    said = said_by(start("confiner-s/modelscope", "--accept-licence"))
    assert "“This site is blocked & logged.”" in said
    assert len(line.asked) <= 6
    assert time.monotonic() - began > 7, "it lets time pass between its tries"


@pytest.mark.parametrize(
    ("proxy", "seen", "remedy"),
    [
        ("socks://127.0.0.1:7890/", "ALL_PROXY=socks://127.0.0.1:7890/", "http://host:port"),
        ("socks5://ann:secret@127.0.0.1:7890", "ALL_PROXY=socks5://…@127.0.0.1:7890", "pip install socksio"),
        ("http://127.0.0.1:9", "cannot be fetched (127.0.0.1: ", "the proxy (ALL_PROXY)"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_said(hub: Hub, start, proxy: str, seen: str, remedy: str) -> None:
    said = said_by(start("confiner-s/modelscope", "--accept-licence", ALL_PROXY=proxy, no_proxy="", NO_PROXY=""))
    assert seen in said
    assert remedy in said
    assert "secret" not in said


@pytest.mark.parametrize("address", ["{}/", "{}//", " {} "])
def test_the_hubs_address_may_end_in_a_slash(hub: Hub, monkeypatch, address: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address.format(os.environ["HF_ENDPOINT"]))
    fetch(chain())
    assert chain().missing == ""


@pytest.mark.parametrize("address", ["hub.example", "http://[", "ftp://hub.example"])
def test_what_is_no_address_is_said(hub: Hub, monkeypatch, address: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(DownloadFailed, match="the hub's address is") as refused:
        fetch(chain())
    assert "HF_ENDPOINT" in refused.value.remedy


def test_an_expired_token_is_named(hub: Hub, monkeypatch) -> None:
    class Strict(Handler):
        def _answer(self, send: bool) -> None:
            if self.headers.get("Authorization"):
                said = "Invalid credentials in Authorization header"
                body = json.dumps({"error": said}).encode()
                self._head(401, {"X-Error-Message": said, "Content-Length": str(len(body))})
                self.wfile.write(body if send else b"")
            else:
                super()._answer(send)

    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    with serving(hub, Strict) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(DownloadFailed, match="does not take this machine's token") as refused:
            fetch(chain())
        assert "unset HF_TOKEN" in refused.value.remedy
        monkeypatch.delenv("HF_TOKEN")
        fetch(chain())
    assert chain().missing == ""
