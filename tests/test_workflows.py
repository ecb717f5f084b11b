# SPDX-License-Identifier: GPL-3.0-or-later
"""What the forge would run, and what runs before a commit: it parses, covers what it should, and names what is there.

The commands of the jobs on Linux are run here as they stand, but for what installs system packages, for `.ci/run`,
which is this suite, and for what speaks to the forge. Tests that they start are collected and not run again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in ROOT.glob(".github/workflows/*.yml")
}
JOBS = {(name, job): body for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()}
NOT_HERE = ("apt-get", ".ci/run", "gh release")
PATHS = re.compile(r"(?<![\w./-])((?:tests|server|tools|\.ci)/[\w./-]+|dev\.py)")


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_there_is_one_to_check_and_one_to_release() -> None:
    assert set(WORKFLOWS) == {"check", "release"}


@pytest.mark.parametrize("job", JOBS.values(), ids=["/".join(key) for key in JOBS])
def test_a_job_is_bounded_and_what_it_names_is_there(job: dict[str, Any]) -> None:
    assert 0 < job["timeout-minutes"] <= 90
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)
    assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    named = {path for command in commands(job) for path in PATHS.findall(command)}
    assert not {path for path in named if not (ROOT / path).exists()}


def test_the_library_is_tested_on_three_systems_and_three_pythons() -> None:
    matrix = JOBS["check", "library"]["strategy"]["matrix"]
    assert [system.rpartition("-")[0] for system in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    (command,) = (command for command in commands(JOBS["check", "library"]) if "pytest" in command)
    assert {"tests/confiner", "tests/server", "tests/protocol", "tests/storyboard"} <= set(command.split())


def test_the_extension_is_tested_in_the_blenders_that_dev_py_makes_and_in_the_oldest() -> None:
    source = (ROOT / "dev.py").read_text(encoding="utf-8")
    made = {(each["python"], each["blender"]) for each in JOBS["check", "everything"]["strategy"]["matrix"]["include"]}
    assert made == set(re.findall(r'"(3\.\d+)": "(\d\.\d)"', source))
    assert any('"bpy==4.2.*"' in command for command in commands(JOBS["check", "blender-4-2"]))


def test_blenders_libraries_are_those_that_dev_py_asks_for() -> None:
    asked = subprocess.run(
        [sys.executable, "-c", "import ctypes\ndef none(_): raise OSError\nctypes.CDLL = none\n" + MISSING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for job in (JOBS["check", "blender-4-2"], JOBS["release", "draft"]):
        (command,) = (command for command in commands(job) if "apt-get install" in command)
        assert set(re.findall(r" (lib\S+)", command)) == {word for word in asked.stdout.split() if word[:3] == "lib"}


MISSING = """
import dev, inspect
arguments = [sys.executable] if inspect.signature(dev.missing_packages).parameters else []
print(*dev.missing_packages(*arguments))
""".replace("import dev,", "import sys, dev,")


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")), ids=lambda path: path.stem)
def test_an_issue_form_asks_in_sentences(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        return
    assert form["name"]
    assert form["description"]
    ids = [part["id"] for part in form["body"]]
    assert len(ids) == len(set(ids))
    for part in form["body"]:
        assert part["type"] in ("textarea", "input", "dropdown", "checkboxes")
        assert part["attributes"]["label"]


def test_the_hooks_before_a_commit_are_the_static_checks() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repository["repo"] == "local"
    entries = [hook["entry"] for hook in repository["hooks"]]
    assert [entry.removeprefix(".venv/bin/python -m ") for entry in entries] == ["ruff format", "ruff check", "mypy"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the commands of the jobs on Linux")
@pytest.mark.parametrize("key", JOBS, ids="/".join)
def test_the_commands_of_a_job_run(key: tuple[str, str], tmp_path: Path) -> None:
    here = [command for command in commands(JOBS[key]) if not any(word in command for word in NOT_HERE)]
    if not here:
        pytest.skip("all that it does is done by the suite, or speaks to the forge")
    tree = tmp_path / "tree"
    copy_tree(tree)
    environment = workplace(tmp_path)
    for command in here:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command], cwd=tree, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def copy_tree(target: Path) -> None:
    """The tree as it stands, changes that are not committed included, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("this tree is no git repository")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def workplace(folder: Path) -> dict[str, str]:
    """A machine of the forge: a Python of its own called `python`, and nothing of the environment that tests run in."""
    venv.create(folder / "python", with_pip=True)
    version = re.findall(r'^__version__ = "(.*)"$', (ROOT / "confiner_blender/__init__.py").read_text(), re.MULTILINE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CONFINER", "VIRTUAL"))}
    return {
        **kept,
        "PATH": f"{folder / 'python' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTEST_ADDOPTS": "--collect-only --quiet",
        **package_sources(),
        "GITHUB_REF_NAME": f"v{version[0]}",
    }


def package_sources() -> dict[str, str]:
    """Where packages come from on this machine, as pip has been told; uv does not ask it."""
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    found = re.findall(rf"\.({'|'.join(names)})='(.*)'$", told, re.MULTILINE)
    chosen = {names[option]: value for option, value in reversed(found)} or {"UV_TORCH_BACKEND": "cpu"}
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **chosen}
