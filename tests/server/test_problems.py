# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error of the library has its words in the protocol."""

import ast
import errno
from pathlib import Path

import confiner
import pytest
from confiner.errors import ConfinerError
from confiner_server.problems import CODES, problem_for

from confiner_blender.protocol.errors import InvalidRequest


def library_errors():
    """The whole tree: every class in the library's files that has one of the tree as its base."""
    bases = {}
    for path in Path(confiner.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {ast.unparse(base).split(".")[-1] for base in node.bases}
    tree = {ConfinerError.__name__}
    while grown := {name for name in bases if name not in tree and bases[name] & tree}:
        tree |= grown
    return tree


def test_the_table_is_total_over_the_librarys_tree():
    assert {kind.__name__ for kind in CODES} == library_errors()


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_a_library_error_keeps_its_sentence_and_its_remedy(kind):
    problem = problem_for(kind("this was seen", "that", "do so"))
    assert problem.code == CODES[kind]
    assert problem.message == "this was seen; expected that"
    assert problem.remedy == "do so"


def test_an_error_of_the_protocol_speaks_for_itself():
    error = InvalidRequest("seen, expected", "do so")
    assert problem_for(error) == error.problem()


def test_a_full_disk_is_told_as_one():
    problem = problem_for(OSError(errno.ENOSPC, "No space left on device", "/frames/0001.png"))
    assert problem.code == "disk-full"
    assert "/frames/0001.png" in problem.message


def test_what_nobody_expected_points_to_the_log():
    problem = problem_for(KeyError("x"))
    assert problem.code == "internal"
    assert "KeyError" in problem.message
    assert "log" in problem.remedy
