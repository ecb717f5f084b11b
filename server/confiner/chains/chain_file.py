# SPDX-License-Identifier: GPL-3.0-or-later
"""Read chain files: the built-in one and, beside it, the user's own. A mistake is named with its line and table.

A chain is one top-level table; README and `built_in.toml` show a whole one. An expert's `source` is a folder in
diffusers' layout and stands for its `unet`, `text_encoder` and `tokenizer`, each of which may be named on its own; a
one-file checkpoint stands for the first two. A chain that is `like` another has everything from it but what it says.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ChainFileError, UnknownChain
from .expert_kinds import EXPERT_KINDS
from .spec import ChainSpec, ExpertSpec, ScheduleSpec
from .toml_lines import ChainText
from .weight_source import WeightSource

BUILT_IN = Path(__file__).parent / "built_in.toml"
ROLES = ("control", "spatial", "temporal")
_Spec = TypeVar("_Spec", ChainSpec, ExpertSpec, ScheduleSpec)


def read_chains(user_file: Path | None = None) -> dict[str, ChainSpec]:
    """All chains by name: the built-in ones, then the user's, which may replace a built-in one by its name."""
    chains = read_file(BUILT_IN)
    if user_file is not None:
        chains |= read_file(user_file)
    return chains


def find_chain(chains: dict[str, ChainSpec], name: str) -> ChainSpec:
    """The chain called `name`, or UnknownChain with the names there are."""
    if name in chains:
        return chains[name]
    close = difflib.get_close_matches(name, chains, n=1)
    remedy = f"did you mean {close[0]!r}?" if close else "choose one of these, or add it to your chain file"
    raise UnknownChain(f"the chain {name!r}", f"one of {', '.join(chains) or 'none'}", remedy)


def read_file(path: Path) -> dict[str, ChainSpec]:
    """The chains of one TOML file."""
    written, tables = _read(path)
    known = tables if path == BUILT_IN else _read(BUILT_IN)[1] | tables
    spots = {name: _Spot(written, (name,)) for name in tables}
    return {name: _chain(_completed(table, known, spots[name]), spots[name]) for name, table in tables.items()}


def _read(path: Path) -> tuple[ChainText, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows begin a file with a byte order mark
        return ChainText(path, text), tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ChainFileError(f"{path}: {error}", "a readable TOML file", _remedy(error)) from error


def _remedy(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return "save the file as UTF-8"
        case tomllib.TOMLDecodeError() if "hex value" in str(error) or "escape" in str(error):
            return (
                r"""write a path with / or in single quotes ('C:\models'): in "…" a backslash begins a special sign"""
            )
    return "correct the file, or remove it"


def _completed(table: Any, known: dict[str, Any], where: _Spot) -> Any:
    """A chain's table with what it takes over from the chain that it is `like`; never the title."""
    if not isinstance(table, dict) or "like" not in table:
        return table
    name, others = table["like"], {other: known[other] for other in known if other != where.table[0]}
    _expect(name in others, where.at("like"), f"like = {name!r}", f"one of {', '.join(others)}")
    base = _completed(others[name], others, where)
    own = {key: value for key, value in table.items() if key != "like"}
    roles = {role: base[role] | own[role] for role in ROLES if isinstance(own.get(role), dict)}
    return {**{key: value for key, value in base.items() if key != "title"}, **own, **roles}


@dataclass(frozen=True)
class _Spot:
    """A table of the file that is being read, or one of its keys."""

    written: ChainText
    table: tuple[str, ...]
    key: str = ""

    def __str__(self) -> str:
        return self.written.where(self.table, self.key)

    def __truediv__(self, table: str) -> _Spot:
        return _Spot(self.written, (*self.table, table))

    def at(self, key: str) -> _Spot:
        return dataclasses.replace(self, key=key)

    def place(self, text: str) -> WeightSource:
        return WeightSource(text, self.written.file.parent)


def _chain(table: Any, where: _Spot) -> ChainSpec:
    _expect(isinstance(table, dict), where, "a value", "a table")
    values = dict(table)
    for role in ROLES:
        values[role] = _expert(values.get(role), where / role)
    _expect(isinstance(values.get("vae"), str), where, "no vae", 'vae = "…", where the autoencoder lies')
    values["vae"] = where.place(values["vae"])
    if "preview" in values:
        seen = f"preview = {values['preview']!r}"
        _expect(isinstance(values["preview"], str), where.at("preview"), seen, "a place, as text")
        values["preview"] = where.place(values["preview"])
    try:
        values["sizes"] = tuple((int(width), int(height)) for width, height in values["sizes"])
    except (KeyError, TypeError, ValueError) as error:
        seen = f"sizes {values.get('sizes')!r}"
        raise _mistake(where.at("sizes"), seen, "sizes = [[width, height], …]") from error
    (name,) = where.table
    return _build(ChainSpec, {"title": name, **values, "name": name, "written": where.written}, where)


def _expert(table: Any, where: _Spot) -> ExpertSpec:
    _expect(isinstance(table, dict), where, "nothing", "a table that describes the expert")
    values = _with_source(table, where)
    for part in ("unet", "text_encoder", "tokenizer", "motion_adapter"):
        if part in values:
            _expect(isinstance(values[part], str), where.at(part), f"{part} = {values[part]!r}", "a place, as text")
            values[part] = where.place(values[part])
    _expect(isinstance(values.get("schedule"), dict), where, "no schedule", "schedule = { beta_start = …, … }")
    values["schedule"] = _build(ScheduleSpec, values["schedule"], where / "schedule")
    expert = _build(ExpertSpec, values, where)
    _check_expert(expert, where)
    return expert


def _with_source(table: dict[str, Any], where: _Spot) -> dict[str, Any]:
    """The table with `source` replaced by the parts that it stands for."""
    values = dict(table)
    source = values.pop("source", None)
    if source is None:
        return values
    _expect(isinstance(source, str), where.at("source"), f"source = {source!r}", "a place, as text")
    if not source.endswith(".safetensors"):
        return {part: f"{source}/{part}" for part in ("unet", "text_encoder", "tokenizer")} | values
    one_file = "tokenizer = …, a folder, since a one-file checkpoint has none"
    _expect("tokenizer" in values, where.at("source"), f"source = {source!r} without a tokenizer", one_file)
    return {"unet": source, "text_encoder": source} | values


def _check_expert(expert: ExpertSpec, where: _Spot) -> None:
    """What each value may be beside the others."""
    known = "; ".join((f"one of {', '.join(map(repr, EXPERT_KINDS.names))}", *EXPERT_KINDS.problems))
    _expect(expert.kind in EXPERT_KINDS, where.at("kind"), f"kind = {expert.kind!r}", known)
    _expect(expert.frames >= 1, where.at("frames"), f"frames = {expert.frames}", "1 or more")
    _expect(
        expert.guidance == "optional" or expert.guidance_scale == 1.0,
        where.at("guidance_scale"),
        f"guidance_scale = {expert.guidance_scale:g} with guidance = 'none'",
        "guidance = 'optional' for an expert that was trained to be guided",
    )
    _expect(
        ("{moment}" in expert.frame_text) == (expert.moments > 0),
        where.at("frame_text"),
        f"frame_text = {expert.frame_text!r} with moments = {expert.moments}",
        "a text with {moment} and how many moments there are, or neither",
    )
    _expect(
        expert.moments == 0 or EXPERT_KINDS.find(expert.kind).text_per_frame,
        where.at("moments"),
        f"moments = {expert.moments} for an expert of kind {expert.kind!r}",
        "none, since it reads one text per clip",
    )


def _build(kind: Callable[..., _Spec], values: dict[str, Any], where: _Spot) -> _Spec:
    """The dataclass from a table's values: every key known, every value of its declared type, none missing."""
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            known = f"{close[0]!r}" if close else f"one of {', '.join(fields)}"
            raise _mistake(where.at(key), f"the unknown key {key!r}", known)
        if isinstance(value, list):
            values = {**values, key: tuple(value)}
        _expect(_fits(values[key], hints[key]), where.at(key), f"{key} = {value!r}", _say(hints[key]))
    for key, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        _expect(not required or key in values, where, f"no {key}", f"{key} = {_say(hints[key])}")
    return kind(**values)


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return value in arguments
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, arguments[0]) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint) and not (hint is int and isinstance(value, bool))


def _say(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(repr(argument) for argument in typing.get_args(hint))
    names = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
    return names.get(getattr(hint, "__name__", ""), "a list" if typing.get_origin(hint) is tuple else str(hint))


def _expect(holds: bool, where: _Spot, seen: str, expected: str) -> None:
    if not holds:
        raise _mistake(where, seen, expected)


def _mistake(where: _Spot, seen: str, expected: str) -> ChainFileError:
    return ChainFileError(f"{where}: {seen}", expected, "correct the chain file")
