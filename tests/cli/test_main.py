# SPDX-License-Identifier: GPL-3.0-or-later
"""The program's entry: what it lists, what it imports, and how it says what its user can mend."""

import argparse

import pytest
from confiner.errors import UnknownChain
from confiner_cli import main as program
from confiner_cli.errors import CommandError

from confiner_blender.protocol.errors import InvalidRequest


def test_the_help_lists_every_command_in_order(capsys):
    with pytest.raises(SystemExit) as ended:
        program.main([])
    assert ended.value.code == 2
    with pytest.raises(SystemExit) as ended:
        program.main(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    places = [printed.index(f"    {name} ") for name in program.COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_command_keeps_the_contract(name):
    command = program.command_module(name)
    assert "\n" not in command.HELP
    command.add_arguments(argparse.ArgumentParser())
    assert callable(command.run)


def test_a_command_line_imports_only_its_own_command(monkeypatch):
    imported = []
    monkeypatch.setattr(program, "command_module", lambda name: imported.append(name) or Command(None))
    program.main(["status"])
    assert imported == ["status"]


class Command:
    """A command that raises."""

    HELP = "raise"

    def __init__(self, error):
        self.error = error

    def add_arguments(self, parser):
        pass

    def run(self, args):
        if self.error is not None:
            raise self.error
        return 0


@pytest.mark.parametrize(
    "error",
    [
        CommandError("this was seen", "do that"),
        InvalidRequest("this was seen", "do that"),
        UnknownChain("this was seen", "something", "do that"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_user_can_mend_is_a_sentence_with_a_remedy_and_exit_code_2(monkeypatch, capsys, error):
    monkeypatch.setattr(program, "command_module", lambda name: Command(error))
    assert program.main(["status"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "this was seen" in printed.err
    assert "do that" in printed.err
    assert "Traceback" not in printed.err


def test_a_defect_is_not_dressed_up(monkeypatch):
    monkeypatch.setattr(program, "command_module", lambda name: Command(KeyError("x")))
    with pytest.raises(KeyError):
        program.main(["status"])


def test_an_interrupt_ends_quietly(monkeypatch):
    monkeypatch.setattr(program, "command_module", lambda name: Command(KeyboardInterrupt()))
    assert program.main(["status"]) == 130
