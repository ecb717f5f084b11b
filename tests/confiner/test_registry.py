# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules from packages outside the library, installed as users install them: a folder on the path with its metadata."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from confiner.errors import RequestError
from confiner.method.rules import BUILT_IN, RULES, Rule
from confiner.registry import Registry


def install(folder: Path, entry_points: str, code: str) -> None:
    """What pip leaves of a package of one module."""
    (folder / "their_rules.py").write_text(textwrap.dedent(code))
    metadata = folder / "their_rules-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-rules\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[confiner.rules]\n{textwrap.dedent(entry_points)}")


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[Rule]:
    """A registry of this test's own, with `tmp_path` on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "their_rules", raising=False)
    return Registry(Rule, RULES.group, BUILT_IN)


GOOD = """
    from confiner.method.rules import Rule, standard
    def twice(before, at):
        return standard(standard(before, at), at)
    TWICE = Rule("twice", "Twice", "The spatial expert, twice a step", twice)
"""


def test_a_rule_of_another_package_stands_behind_the_librarys_own(tmp_path: Path, rules: Registry[Rule]) -> None:
    install(tmp_path, "twice = their_rules:TWICE", GOOD)
    assert rules.names == (*(rule.name for rule in BUILT_IN), "twice")
    assert rules.find("twice").label == "Twice"
    assert rules.problems == ()


@pytest.mark.parametrize(
    ("entry_points", "code", "said"),
    [
        ("twice = their_rules:MISSING", GOOD, "has no attribute 'MISSING'"),
        ("twice = their_rules:TWICE", "raise OSError('no card')", "OSError: no card"),
        ("twice = their_rules:TWICE", "TWICE = lambda before, at: before", "it is a function, not a"),
        ("double = their_rules:TWICE", GOOD, "differ in their names"),
        ("standard = their_rules:TWICE", GOOD.replace('"twice"', '"standard"'), "there already"),
        (
            "twice = their_rules:TWICE",
            "from confiner.method.rules import Rule\nTWICE = Rule('twice', 'Twice')",
            "missing 2 required positional arguments",
        ),
    ],
)
def test_what_cannot_be_used_is_left_out_and_told(
    tmp_path: Path, rules: Registry[Rule], entry_points: str, code: str, said: str
) -> None:
    install(tmp_path, entry_points, code)
    assert rules.names == tuple(rule.name for rule in BUILT_IN)
    (problem,) = rules.problems
    assert said in problem
    with pytest.raises(RequestError, match=r"the rule 'twice'; expected one of .*their_rules"):
        rules.find("twice")


def test_a_misspelt_rule_gets_the_nearest_name() -> None:
    with pytest.raises(RequestError) as refused:
        RULES.find("coordinate")
    assert refused.value.remedy == "did you mean 'coordinated'?"
