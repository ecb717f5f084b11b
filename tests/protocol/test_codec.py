# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages survive the way through JSON; what is none is named."""

import dataclasses
import json
import math
import typing

import pytest

from confiner_blender.protocol import codec, messages
from confiner_blender.protocol.errors import MalformedMessage
from confiner_blender.protocol.messages import (
    Attach,
    Failed,
    Hello,
    JobInfo,
    Jobs,
    Problem,
    Refused,
    ShotRequest,
    Started,
    Stepped,
    StructureInfo,
    Submit,
)

SHOT = ShotRequest("ein roter Würfel 🎬", 16, 512, 288, 2**60, "bundled", 8.0, freedom=300)


@pytest.mark.parametrize(
    "message",
    [
        Hello(1, "token", "client"),
        Submit("id", SHOT),
        Submit("id", dataclasses.replace(SHOT, structure=StructureInfo(16, 512, 288))),
        Refused(Problem("code", "seen", "remedy")),
        Jobs([JobInfo("id", "running", 5, 2, SHOT)]),
        Started("id", 3, {"threads": 2, "nested": {"list": [1, 2.5, None, "x"]}}),
        Stepped("id", 4, "refine", 1, 5, eta=None),
        Failed("id", 5, Problem("code", "seen", "remedy")),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_comes_out_as_it_went_in(message):
    assert codec.decode(codec.encode(message)) == message


def test_every_message_has_a_name_of_its_own_and_none_is_forgotten():
    listed = {*typing.get_args(messages.ClientMessage), *typing.get_args(messages.ServerMessage)}
    assert set(codec.TYPES.values()) == listed
    assert len(codec.TYPES) == len(listed)
    parts = {
        messages.StructureInfo,
        messages.Stretch,
        messages.ShotRequest,
        messages.Problem,
        messages.JobInfo,
        messages.ChainInfo,
        messages.RuleInfo,
    }
    defined = {value for value in vars(messages).values() if dataclasses.is_dataclass(value)}
    assert defined - parts == listed


def test_every_message_is_named_in_the_modules_drawing():
    assert all(name in messages.__doc__ for name in codec.TYPES)


def test_a_whole_number_is_taken_for_a_number_and_a_missing_field_for_its_default():
    decoded = codec.decode(
        '{"type": "Submit", "job_id": "a", "request": {"prompt": "p", "num_frames": 1, "width": 8, "height": 8, '
        '"seed": 0, "chain": "c", "fps": 8}}'
    )
    assert decoded == Submit("a", ShotRequest("p", 1, 8, 8, 0, "c", 8.0))
    assert isinstance(decoded.request.fps, float)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("5", "type 'int'"),
        ('{"type": "Nothing"}', "type 'Nothing'"),
        ('{"type": ["Attach"]}', "Attach"),
        ('{"type": "Attach", "job_id": "a"}', "lacks the fields ['after']"),
        ('{"type": "Attach", "job_id": "a", "after": 1, "x": 1}', "unknown fields ['x']"),
        ('{"type": "Attach", "job_id": 7, "after": 1}', "Attach.job_id is 7"),
        ('{"type": "Attach", "job_id": "a", "after": 1.5}', "Attach.after is 1.5"),
        ('{"type": "Attach", "job_id": "a", "after": true}', "Attach.after is True"),
        ('{"type": "Attach", "job_id": null, "after": 1}', "Attach.job_id is None"),
        ('{"type": "Attach", "job_id": "\\udc80", "after": 1}', "half of a surrogate pair"),
        ('{"type": "Submit", "job_id": "a", "request": 5}', "Submit.request is a int"),
        ('{"type": "Jobs", "jobs": [5]}', "Jobs.jobs[0] is a int"),
    ],
)
def test_what_is_no_message_is_named(text, named):
    with pytest.raises(MalformedMessage) as error:
        codec.decode(text)
    assert named in str(error.value)
    assert error.value.problem().remedy


def test_a_number_that_json_does_not_know_is_not_sent():
    with pytest.raises(ValueError, match="not JSON compliant"):
        codec.encode(Stepped("id", 1, "refine", 1, 5, eta=math.nan))


def test_text_travels_as_it_is_written():
    assert "Würfel 🎬" in codec.encode(Submit("id", SHOT))
    assert json.loads(codec.encode(Attach("id", 3))) == {"type": "Attach", "job_id": "id", "after": 3}
