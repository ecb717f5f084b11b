# SPDX-License-Identifier: GPL-3.0-or-later
"""Open sets: records of one kind by name, the library's own and those of any installed package.

A package adds one by an entry point, such as in its `pyproject.toml`:

    [project.entry-points."confiner.rules"]
    half-and-half = "my_package:HALF_AND_HALF"
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from .errors import RequestError


class Named(Protocol):
    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=Named)


class Registry(Generic[R]):
    """The records of one kind, read when first asked for.

    An entry point that cannot be used is left out, so that the others go on working, and `problems` says why.
    """

    def __init__(self, kind: type[R], group: str, own: Sequence[R]) -> None:
        """`own` are the library's; `group` is the name of the entry points; `kind` is what both must be."""
        self.kind = kind
        self.group = group
        self.own = tuple(own)

    def __iter__(self) -> Iterator[R]:
        return iter(self._found[0].values())

    def __contains__(self, name: str) -> bool:
        return name in self._found[0]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._found[0])

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each entry point that was left out."""
        return self._found[1]

    def find(self, name: str) -> R:
        """The record called `name`; RequestError, with the names there are, if there is none."""
        records, problems = self._found
        if name in records:
            return records[name]
        close = difflib.get_close_matches(name, records, n=1)
        other = f"choose one of these {self._noun}s, or install the package that has it"
        remedy = f"did you mean {close[0]!r}?" if close else other
        raise RequestError(f"the {self._noun} {name!r}", "; ".join((f"one of {', '.join(records)}", *problems)), remedy)

    @property
    def _noun(self) -> str:
        return self.group.rpartition(".")[2].removesuffix("s").replace("_", " ")

    @cached_property
    def _found(self) -> tuple[dict[str, R], tuple[str, ...]]:
        records = {record.name: record for record in self.own}
        problems = []
        for point in sorted(entry_points(group=self.group), key=lambda point: point.name):
            record, problem = self._load(point)
            if record is not None and record.name in records:
                record, problem = None, f"a {self._noun} of that name is there already"
            if record is None:
                problems.append(f"the {self._noun} {point.name!r} ({point.value}) is left out: {problem}")
            else:
                records[record.name] = record
        return records, tuple(problems)

    def _load(self, point: EntryPoint) -> tuple[R | None, str]:
        """The record behind an entry point, or why there is none, whatever the foreign module raised."""
        try:
            record = point.load()
        except Exception as error:  # noqa: BLE001
            return None, f"{type(error).__name__}: {error}"
        if not isinstance(record, self.kind):
            return None, f"it is a {type(record).__name__}, not a {self.kind.__module__}.{self.kind.__name__}"
        if record.name != point.name:
            return None, f"the entry point and the record, {record.name!r}, differ in their names"
        return record, ""
