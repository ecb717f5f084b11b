# SPDX-License-Identifier: GPL-3.0-or-later
"""What listener and worker say to each other survives the way."""

import socket
import struct

import pytest
from confiner_server.worker import wire
from confiner_server.worker.channel import Channel, ListenerGone

from confiner_blender.protocol.errors import MalformedMessage
from confiner_blender.protocol.messages import Problem


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, Channel(theirs)


@pytest.mark.parametrize(
    "message",
    [
        wire.JobStarted("a", {"threads": 2, "dtype": "float32", "weights": {"vae": "ff"}}),
        wire.JobStepped("a", "refine", 2, 5, None),
        wire.JobFailed("a", Problem("code", "größer", "remedy")),
        wire.MemoryUsed({"resident": 2**40}),
    ],
)
def test_a_message_comes_out_as_it_went_in(ends, message):
    listener, channel = ends
    channel.send(message, b"picture")
    text, payload = wire.unpack_lengths(listener.recv(wire.LENGTHS.size, socket.MSG_WAITALL))
    assert wire.unpack(listener.recv(text, socket.MSG_WAITALL)) == message
    assert listener.recv(payload, socket.MSG_WAITALL) == b"picture"


@pytest.mark.parametrize("plan", [None, {"threads": 2}])
def test_the_worker_reads_what_arrives_in_crumbs(ends, shot, plan):
    listener, channel = ends
    job = wire.RunJob("a", shot(), "/folder", plan)
    data = wire.pack(job)
    for i in range(0, len(data), 7):
        listener.sendall(data[i : i + 7])
    assert channel.receive() == job


def test_a_dead_listener_is_noticed_in_the_middle_of_a_message_and_when_sending(ends):
    listener, channel = ends
    listener.sendall(wire.pack(wire.StopJob("a"))[:-1])
    listener.close()
    with pytest.raises(ListenerGone):
        channel.receive()
    with pytest.raises(ListenerGone):
        channel.send(wire.JobStopped("a"))


def test_a_stream_out_of_step_is_not_followed():
    with pytest.raises(MalformedMessage, match="at most"):
        wire.unpack_lengths(struct.pack("!II", 2**31, 0))
