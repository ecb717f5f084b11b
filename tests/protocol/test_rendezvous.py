# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a sidecar is met, and what its connection file says."""

import json
import sys
from pathlib import Path

import pytest

from confiner_blender.protocol import rendezvous
from confiner_blender.protocol.errors import MalformedMessage
from confiner_blender.protocol.rendezvous import Connection
from confiner_blender.protocol.version import PROTOCOL_VERSION

CONNECTION = Connection("127.0.0.1", 4711, "token", 42, PROTOCOL_VERSION, "0.1.0")


def test_a_connection_file_is_read_as_it_was_written():
    assert rendezvous.read_text(rendezvous.write_text(CONNECTION)) == CONNECTION


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 1}', rendezvous.write_text(CONNECTION)[:-5]])
def test_what_is_no_connection_file_is_named(text):
    with pytest.raises(MalformedMessage, match="connection file"):
        rendezvous.read_text(text)


def test_a_port_that_is_no_number_is_named():
    text = json.dumps({**json.loads(rendezvous.write_text(CONNECTION)), "port": "4711"})
    with pytest.raises(MalformedMessage, match=r"the connection file\.port is '4711'"):
        rendezvous.read_text(text)


def test_one_variable_moves_everything(monkeypatch, tmp_path):
    monkeypatch.setenv(rendezvous.HOME_VARIABLE, str(tmp_path))
    places = [
        rendezvous.connection_file(),
        rendezvous.start_lock(),
        rendezvous.run_lock(),
        rendezvous.log_file(),
        rendezvous.journal_file(),
        rendezvous.jobs_folder(),
    ]
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert len(set(places)) == len(places)


@pytest.mark.skipif(sys.platform != "linux", reason="these are the folders of a Linux desktop")
def test_runtime_files_and_data_stand_where_the_desktop_keeps_such_things(monkeypatch):
    monkeypatch.delenv(rendezvous.HOME_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    monkeypatch.setenv("XDG_DATA_HOME", "/home/somebody/.data")
    assert rendezvous.runtime_folder() == Path("/run/user/1000/confiner")
    assert rendezvous.data_folder() == Path("/home/somebody/.data/confiner")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert rendezvous.runtime_folder() == Path("/home/somebody/.cache/confiner/run")


def test_versions_do_not_find_each_others_sidecar(monkeypatch):
    def names():
        shared = (rendezvous.connection_file, rendezvous.start_lock, rendezvous.run_lock)
        kept = (rendezvous.journal_file, rendezvous.jobs_folder)
        return {place().name for place in (*shared, *kept)}

    ours = names()
    monkeypatch.setattr(rendezvous, "PROTOCOL_VERSION", PROTOCOL_VERSION + 1)
    assert not ours & names()
