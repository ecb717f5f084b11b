# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sidecar does not take, and that it says what was seen, what was expected and what to do."""

from __future__ import annotations

import json
import uuid

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from confiner_blender.protocol import codec, framing
from confiner_blender.protocol.messages import (
    Accepted,
    Attach,
    Cancel,
    Finished,
    Forget,
    GetStatus,
    Hello,
    Jobs,
    ListJobs,
    Refused,
    Status,
    Stretch,
    StructureInfo,
    Submit,
    Welcome,
)
from confiner_blender.protocol.version import PROTOCOL_VERSION

MIB = 1024 * 1024


def first_answer(websocket, text):
    """The answer to a first message, after which the sidecar has to close."""
    websocket.send(text)
    answer = codec.decode(websocket.recv(10))
    with pytest.raises(ConnectionClosed):
        websocket.recv(10)
    assert isinstance(answer, Refused)
    assert answer.problem.remedy
    return answer.problem


def test_a_web_page_is_refused(standing):
    with pytest.raises(InvalidStatus) as refused, standing.dial(origin="https://example.com"):
        pass
    assert refused.value.response.status_code == 403
    assert b"https://example.com" in refused.value.response.body


def test_a_wrong_token_is_refused(standing):
    with standing.dial() as websocket:
        hello = Hello(PROTOCOL_VERSION, standing.connection.token[:-1], "test")
        problem = first_answer(websocket, codec.encode(hello))
    assert problem.code == "unauthorised"
    assert "connection file" in problem.message


@pytest.mark.parametrize(("version", "update"), [(PROTOCOL_VERSION + 1, "sidecar"), (PROTOCOL_VERSION - 1, "add-on")])
def test_another_version_is_told_what_to_update_even_if_its_hello_looks_different(standing, version, update):
    with standing.dial() as websocket:
        problem = first_answer(websocket, json.dumps({"type": "Hello", "protocol": version, "key": "?"}))
    assert problem.code == "version"
    assert problem.remedy.startswith(f"update the {update}")


HALF_A_HELLO = json.dumps({"type": "Hello", "protocol": PROTOCOL_VERSION})


@pytest.mark.parametrize("text", ["", "hello", codec.encode(GetStatus()), HALF_A_HELLO, b"\0\1"])
def test_anything_but_a_hello_is_refused_as_the_first_message(standing, text):
    with standing.dial() as websocket:
        assert first_answer(websocket, text).code == "malformed"


def test_no_client_is_counted_before_it_was_let_in(sidecar):
    process = sidecar.start("--grace", "0")
    assert process.wait(20) == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        '{"type": "Nonsense"}',
        '{"type": "Cancel"}',
        '{"type": "Cancel", "job_id": 5}',
        '{"type": "Cancel", "job_id": "x", "more": 1}',
        codec.encode(Welcome(1, "", "")),
        '{"type": "Attach", "job_id": "\\ud800", "after": 0}',
        "x" * (2 * MIB),
    ],
    ids=["cut off", "deep", "unknown", "short", "type", "more", "not a client's", "half a character", "oversized"],
)
def test_a_malformed_message_is_refused_and_the_connection_goes_on(standing, text):
    with standing.client() as client:
        client.websocket.send(text)
        assert client.expect(Refused).problem.code == "malformed"
        assert client.ask(GetStatus(), Status)


def test_a_message_beyond_every_limit_ends_the_connection_and_nothing_else(standing):
    with standing.client() as client:
        client.websocket.send(b"\0" * (5 * MIB))
        with pytest.raises(ConnectionClosed) as closed:
            client.websocket.recv(10)
    assert closed.value.rcvd.code == 1009
    with standing.client() as another:
        assert another.ask(GetStatus(), Status)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "  "}, "empty prompt"),
        ({"prompt": "x" * 5000}, "5000 characters"),
        ({"stretches": [Stretch(3, "x" * 5000)]}, "prompt from frame 3 on of 5000 characters"),
        ({"stretches": [Stretch(3, " ")]}, "empty prompt from frame 3"),
        ({"stretches": [Stretch(6, "a blue cone")]}, "from frame 6 on, in a clip of 6 frames"),
        ({"num_frames": 0}, "0 frames"),
        ({"num_frames": -1}, "-1 frames"),
        ({"num_frames": 10**9}, "1000000000 frames"),
        ({"chain": "no-such-chain"}, "no-such-chain"),
        ({"chain": "doubl"}, "doubl"),
        ({"width": 33}, "33×32"),
        ({"width": 10**6, "height": 10**6}, "1000000×1000000"),
        ({"fps": 0.0}, "fps 0"),
        ({"seed": -1}, "seed -1"),
        ({"rule": "magic"}, "magic"),
        ({"freedom": 5000}, "freedom of 5000"),
        ({"refine_steps": 0}, "0 refinement steps"),
        ({"structure": StructureInfo(5, 32, 32)}, "5 structure frames"),
        ({"structure": StructureInfo(6, 16, 32)}, "16×32"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_shot_that_cannot_be_made_is_refused_before_anything_is_spent(standing, shot, changes, words):
    with standing.client() as client:
        job_id = str(uuid.uuid4())
        refused = client.refusal(Submit(job_id, shot(**changes)))
        assert refused.job_id == job_id
        assert words in refused.problem.message
        assert "expected" in refused.problem.message
        assert refused.problem.remedy
        assert client.ask(ListJobs(), Jobs).jobs == []
    assert standing.workers() == []


def test_a_chain_without_its_weights_is_refused(sidecar, shot, tmp_path):
    (tmp_path / "parts").rmdir()
    sidecar.start()
    with sidecar.client() as client:
        problem = client.refusal(Submit(str(uuid.uuid4()), shot())).problem
    assert problem.code == "weights-missing"
    assert "parts" in problem.message


@pytest.mark.parametrize("job_id", ["", "../../etc", "5", "{" + str(uuid.UUID(int=1)) + "}"])
def test_a_job_id_that_is_no_uuid_is_refused(standing, shot, job_id):
    with standing.client() as client:
        assert "expected a UUID" in client.refusal(Submit(job_id, shot())).problem.message


def test_a_job_that_is_not_known_is_refused(standing):
    with standing.client() as client:
        for message in (Cancel("nobody"), Attach("nobody", 0)):
            refused = client.refusal(message)
            assert refused.job_id == "nobody"
            assert "not known" in refused.problem.message


@pytest.mark.parametrize("damage", ["size", "count", "cut off", "flipped", "grey", "no picture"])
def test_a_structure_frame_that_does_not_fit_is_refused_once_and_the_job_is_gone(standing, shot, picture, damage):
    whole = picture(colour="red")
    data = {
        "size": picture(16, 16),
        "count": whole,
        "cut off": whole[:-20],
        "flipped": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        "grey": picture(mode="L"),
        "no picture": b"GIF89a" + b"\0" * 50,
    }[damage]
    with standing.client() as client:
        job_id = client.submit(shot(structure=StructureInfo(6, 32, 32)))
        client.expect(Accepted)
        client.send_structure(job_id, 6 if damage == "count" else 0, data)
        refused = client.expect(Refused)
        assert refused.job_id == job_id
        assert refused.problem.code == "invalid-request"
        assert "expected" in refused.problem.message
        for frame in range(1, 6):
            client.send_structure(job_id, frame, whole)
        assert client.ask(ListJobs(), Jobs, Refused) == Jobs([])
    assert not standing.job_folder(job_id).exists()


def test_pieces_of_an_image_out_of_order_are_refused_and_a_whole_one_is_taken_afterwards(standing, shot, picture):
    with standing.client() as client:
        job_id = client.submit(shot(num_frames=1, structure=StructureInfo(1, 32, 32)))
        image = framing.Image(framing.ImageKind.STRUCTURE, job_id, 0, 0, b"\x89PNG" + b"\0" * 300_000)
        first, second = framing.pieces(image)
        client.websocket.send(second)
        assert "expected byte 0" in client.expect(Refused).problem.message
        client.websocket.send(first[:20])
        assert "header" in client.expect(Refused).problem.message
        client.send_structure(job_id, 0, picture())
        assert isinstance(client.outcome(job_id), Finished)
        client.send(Forget(job_id))


def test_a_client_that_says_nothing_is_told_so_and_let_go(monkeypatch):
    """In this process, since nobody wants to wait for the real patience."""
    import asyncio

    from confiner_server.clients import connection
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve

    monkeypatch.setattr(connection, "HELLO_SECONDS", 0.05)

    async def wait_for_the_answer():
        async def meet(websocket):
            await connection.greet(websocket, "token")

        async with serve(meet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}", proxy=None) as websocket:
                return codec.decode(await websocket.recv())

    refused = asyncio.run(wait_for_the_answer())
    assert isinstance(refused, Refused)
    assert "expected Hello" in refused.problem.message
