# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the pages that are written from the code: messages, job states, refinement rules, kinds of expert."""

from __future__ import annotations

import dataclasses
import html
import sys
import typing
from collections.abc import Iterable, Iterator

from docs.from_code.modules import ROOT

for folder in (ROOT, ROOT / "server"):  # whatever environment builds the pages: they are of this tree
    sys.path.insert(0, str(folder))

from confiner.chains.expert_kinds import EXPERT_KINDS  # noqa: E402
from confiner.method.rules import RULES  # noqa: E402
from confiner_server.jobs.job_states import TRANSITIONS  # noqa: E402

from confiner_blender.protocol import framing, messages, version  # noqa: E402


def client_messages() -> str:
    """What a client says."""
    return _messages(typing.get_args(messages.ClientMessage))


def server_answers() -> str:
    """What a sidecar says of no job in particular."""
    events = typing.get_args(messages.JobEvent)
    return _messages(cls for cls in typing.get_args(messages.ServerMessage) if cls not in events)


def job_events() -> str:
    """What a sidecar says of a job."""
    return _messages(typing.get_args(messages.JobEvent))


def message_parts() -> str:
    """The records that stand inside messages."""
    every = (*typing.get_args(messages.ClientMessage), *typing.get_args(messages.ServerMessage))
    return _messages(sorted(_parts(every, set()), key=lambda cls: cls.__name__))


def wire_limits() -> str:
    """The numbers that both sides hold to."""
    return _table(
        ("what", "how much"),
        [
            ("version of the protocol", str(version.PROTOCOL_VERSION)),
            ("one WebSocket message", f"at most {framing.MAX_MESSAGE // 1024} KiB"),
            ("the piece of an image in one binary message", f"at most {framing.MAX_PIECE // 1024} KiB"),
            ("a whole image", f"at most {framing.MAX_IMAGE // 1024**2} MiB"),
            ("the header of a binary message", f"{framing.HEADER.size} bytes"),
            ("kinds of image", ", ".join(f"{kind.value} {kind.name.lower()}" for kind in framing.ImageKind)),
        ],
    )


def job_states() -> str:
    """From which state what leads where."""
    rows = [
        (f"`{now.value}`", trigger.name.lower().replace("_", " "), f"`{then.value}`")
        for (now, trigger), then in TRANSITIONS.items()
    ]
    return _table(("a job that is", "meets", "and is then"), rows)


def refinement_rules() -> str:
    """The library's own rules."""
    return _table(("rule", "what it does"), [(f"`{rule.name}`", rule.description) for rule in RULES.own])


def kinds_of_expert() -> str:
    """The library's own kinds of expert."""
    rows = [
        (f"`{kind.name}`", ", ".join(f"`{name}`" for name in kind.network_names), _text_of(kind.text_per_frame))
        for kind in EXPERT_KINDS.own
    ]
    return _table(("kind", "networks", "reads"), rows)


TABLES = {
    table.__name__.replace("_", "-"): table
    for table in (
        client_messages,
        server_answers,
        job_events,
        message_parts,
        wire_limits,
        job_states,
        refinement_rules,
        kinds_of_expert,
    )
}
"""By the names that pages use."""


def _messages(classes: Iterable[type]) -> str:
    return _table(
        ("message", "fields", "meaning"), [(f"**{cls.__name__}**", _fields(cls), _meaning(cls)) for cls in classes]
    )


def _fields(cls: typing.Any) -> str:
    """A line for each, in HTML: in backticks a | would end the cell."""
    lines = (f"{field.name}: {field.type}{_default(field)}" for field in dataclasses.fields(cls))
    return "<br>".join(f"<code>{html.escape(line).replace('|', '&#124;')}</code>" for line in lines) or "–"


def _default(field: dataclasses.Field[typing.Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return f" = {field.default_factory()!r}"
    return "" if field.default is dataclasses.MISSING else f" = {field.default!r}"


def _meaning(cls: type) -> str:
    """The docstring in one line; the one that a dataclass gives itself says nothing."""
    text = cls.__doc__ or ""
    return "" if text.startswith(f"{cls.__name__}(") else " ".join(text.split())


def _parts(classes: Iterable[type], seen: set[type]) -> set[type]:
    """Every record that these have among their fields, and what these have in turn."""
    for cls in classes:
        inner = {part for hint in typing.get_type_hints(cls).values() for part in _records(hint)} - seen
        seen |= inner
        _parts(inner, seen)
    return seen


def _records(hint: typing.Any) -> Iterator[type]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for argument in typing.get_args(hint):
        yield from _records(argument)


def _text_of(per_frame: bool) -> str:
    return "a text for every frame" if per_frame else "one text for all frames that it sees together"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in (heads, ("---",) * len(heads), *rows))
