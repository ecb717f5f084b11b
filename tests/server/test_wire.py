# SPDX-License-Identifier: GPL-3.0-or-later
"""What listener and worker say to each other survives the way."""

import socket
import struct

import pytest
from confiner_server.supervision import worker_messages
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
        worker_messages.JobStarted("a", {"threads": 2, "dtype": "float32", "weights": {"vae": "ff"}}),
        worker_messages.JobStepped("a", "refine", 2, 5, None),
        worker_messages.JobFailed("a", Problem("code", "größer", "remedy")),
        worker_messages.MemoryUsed({"resident": 2**40}),
    ],
)
def test_a_message_comes_out_as_it_went_in(ends, message):
    listener, channel = ends
    channel.send(message, b"picture")
    text, payload = worker_messages.unpack_lengths(listener.recv(worker_messages.LENGTHS.size, socket.MSG_WAITALL))
    assert worker_messages.unpack(listener.recv(text, socket.MSG_WAITALL)) == message
    assert listener.recv(payload, socket.MSG_WAITALL) == b"picture"


@pytest.mark.parametrize("plan", [None, {"threads": 2}])
def test_the_worker_reads_what_arrives_in_crumbs(ends, shot, plan):
    listener, channel = ends
    job = worker_messages.RunJob("a", shot(), "/folder", plan)
    data = worker_messages.pack(job)
    for i in range(0, len(data), 7):
        listener.sendall(data[i : i + 7])
    assert channel.receive() == job


def test_a_dead_listener_is_noticed_in_the_middle_of_a_message_and_when_sending(ends):
    listener, channel = ends
    listener.sendall(worker_messages.pack(worker_messages.StopJob("a"))[:-1])
    listener.close()
    with pytest.raises(ListenerGone):
        channel.receive()
    with pytest.raises(ListenerGone):
        channel.send(worker_messages.JobStopped("a"))


def test_a_stream_out_of_step_is_not_followed():
    with pytest.raises(MalformedMessage, match="at most"):
        worker_messages.unpack_lengths(struct.pack("!II", 2**31, 0))
