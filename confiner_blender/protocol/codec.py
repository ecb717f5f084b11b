# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages to JSON text and back: `{"type": "Submit", …}`, checked field by field against the dataclass."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from typing import Any

from . import messages
from .errors import MalformedMessage

Message = messages.ClientMessage | messages.ServerMessage
TYPES: dict[str, type] = {cls.__name__: cls for cls in typing.get_args(Message)}


def encode(message: Message) -> str:
    """The JSON text of `message`."""
    return json.dumps(
        {"type": type(message).__name__, **dataclasses.asdict(message)}, ensure_ascii=False, allow_nan=False
    )


def decode(text: str) -> Message:
    """The message in `text`.

    Raises:
        MalformedMessage: not JSON, an unknown type, a field that is missing, unknown or of the wrong type.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"text that is not JSON ({error})") from error
    kind = value.get("type") if isinstance(value, dict) else type(value).__name__
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in TYPES:
        raise MalformedMessage(f"a message of type {kind!r:.60}, expected one of {', '.join(TYPES)}")
    fields = {name: field for name, field in value.items() if name != "type"}
    return typing.cast(Message, build(TYPES[kind], fields, kind))


def build(cls: type, value: Any, where: str) -> Any:
    """An instance of dataclass `cls` from plain JSON values, each checked; `where` names the place in errors."""
    if not isinstance(value, dict):
        raise MalformedMessage(f"{where} is a {type(value).__name__}, expected an object")
    hints = _hints(cls)
    if unknown := set(value) - set(hints):
        raise MalformedMessage(f"{where} has unknown fields {sorted(unknown)}, expected {sorted(hints)}")
    required = {f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING}
    if missing := required - set(value):
        raise MalformedMessage(f"{where} lacks the fields {sorted(missing)}")
    return cls(**{name: _convert(hints[name], field, f"{where}.{name}") for name, field in value.items()})


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin is types.UnionType:
        inner = next(arm for arm in arguments if arm is not type(None))
        return None if value is None else _convert(inner, value, where)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where)
    if origin is list and isinstance(value, list):
        return [_convert(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {key: _convert(arguments[1], item, f"{where}[{key!r}]") for key, item in value.items()}
    if hint is str and isinstance(value, str) and not value.isascii() and _has_half_characters(value):
        raise MalformedMessage(f"{where} holds half of a surrogate pair, expected text")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise MalformedMessage(f"{where} is {value!r:.60}, expected {getattr(hint, '__name__', hint)}")


def _has_half_characters(text: str) -> bool:
    """JSON can spell what no encoding can write: it would fail later, on a disk or a socket."""
    return any("\ud800" <= character <= "\udfff" for character in text)
