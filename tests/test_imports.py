# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom. The arrows point one way, so that each part can be read, tested and replaced on its own."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "diffusers", "transformers", "accelerate", "numpy")


@dataclass(frozen=True)
class Rule:
    """`package` may import itself, `ours` (packages of this project), `theirs`, and the standard library."""

    package: str
    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


MODELS = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "psutil",
    "safetensors",
    "huggingface_hub",
    "imageio",
    "numpy",
    "PIL",
)
NO_SOCKETS = ("socket", "socketserver", "asyncio", "selectors", "http", "ssl", "sqlite3", "multiprocessing")
LIGHT = ("confiner.chains", "confiner.errors", "confiner.method.prompt_schedule")  # the library without torch
BLENDER = ("bpy", "bpy_extras", "addon_utils", "gpu", "mathutils", "numpy")
EXTENSION = ("confiner_blender", "confiner_blender.protocol", "confiner_blender.storyboard", "confiner_blender.client")

# The most specific rule holds.
RULES = [
    Rule("confiner_blender", ours=("confiner_blender.host",)),
    Rule("confiner_blender.protocol", never=NO_SOCKETS),
    Rule("confiner_blender.storyboard", ours=("confiner_blender.protocol",), never=NO_SOCKETS),
    Rule("confiner_blender.client", ours=("confiner_blender", "confiner_blender.protocol"), theirs=("websockets",)),
    Rule(
        "confiner_blender.host",
        ours=EXTENSION,
        theirs=("bpy", "bpy_extras", "addon_utils", "gpu", "mathutils", "numpy"),
    ),
    Rule("confiner", ours=LIGHT, theirs=MODELS, never=NO_SOCKETS),
    Rule("confiner.chains", ours=LIGHT, never=NO_SOCKETS),
    Rule("confiner.errors", never=NO_SOCKETS),
    Rule("confiner.method.prompt_schedule", never=NO_SOCKETS),
    Rule(
        "confiner_server",
        ours=("confiner_blender", "confiner_blender.protocol", *LIGHT),
        theirs=("websockets",),
    ),
    Rule(
        "confiner_server.worker",
        ours=("confiner_server", "confiner_blender.protocol", "confiner", *LIGHT),
        theirs=MODELS,
    ),
    Rule(
        "confiner_server.weights.fetcher",
        ours=("confiner_server", "confiner_blender.protocol", "confiner", *LIGHT),
    ),
    Rule("confiner_lab", ours=("confiner", *LIGHT), theirs=(*MODELS, "PIL"), never=NO_SOCKETS),
    # A script for Blender's own Python, which reads it as a file; no module of ours imports it, nor it any of ours.
    Rule("confiner_lab.evaluate.greybox_scene", theirs=("bpy", "bpy_extras", "mathutils")),
    Rule(
        "confiner_cli",
        ours=("confiner", *LIGHT, "confiner_server", "confiner_lab", "confiner_blender", "confiner_blender.protocol"),
        theirs=(*MODELS, "imageio_ffmpeg", "websockets"),
    ),
]


@dataclass(frozen=True)
class Import:
    """One imported module, by its absolute name."""

    target: str
    line: int
    relative: bool


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.package)
def test_a_package_imports_only_what_it_may(rule: Rule) -> None:
    modules = {name: path for name, path in project_modules() if rule_for(name) is rule}
    assert modules, f"no module falls under the rule for {rule.package}"
    broken = [
        f"{path.relative_to(ROOT)}:{found.line} imports {found.target}"
        for name, path in modules.items()
        for found in imports_of(name, path)
        if not allowed(rule, found.target)
    ]
    assert not broken, "\n".join(broken)


def test_the_extension_imports_its_own_modules_relatively() -> None:
    """Blender loads it as bl_ext.<repository>.confiner, where the name confiner_blender does not exist."""
    absolute = [
        f"{path.relative_to(ROOT)}:{found.line}"
        for name, path in project_modules()
        for found in imports_of(name, path)
        if name.split(".")[0] == "confiner_blender"
        and found.target.startswith("confiner_blender")
        and not found.relative
    ]
    assert not absolute, f"absolute imports of the extension in itself: {absolute}"


@pytest.mark.parametrize("module", ["confiner", "confiner.chains", "confiner_cli.main", "confiner_blender.client"])
def test_importing_a_light_module_loads_nothing_heavy(module: str) -> None:
    assert heavy_after(f"import {module}") == []


def test_importing_the_whole_listener_loads_nothing_heavy() -> None:
    """It has to be ready within a second, and torch alone takes longer."""
    listener = [name for name, _ in project_modules() if rule_for(name).package == "confiner_server"]
    listener = [name for name in listener if not name.endswith("__main__")]
    assert heavy_after("\n".join(f"import {name}" for name in listener)) == []


def test_the_reader_sees_every_kind_of_import(tmp_path: Path) -> None:
    source = tmp_path / "panel.py"
    source.write_text(
        "import a.b\nfrom c import d\ndef f():\n    from ..client import wire\n    from . import strips\n"
    )
    found = {(each.target, each.relative) for each in imports_of("confiner_blender.host.panel", source)}
    assert found == {
        ("a.b", False),
        ("c.d", False),
        ("confiner_blender.client.wire", True),
        ("confiner_blender.host.scene.strips", True),
    }


def test_the_rules_catch_what_they_forbid() -> None:
    assert not allowed(rule_for("confiner_blender.host.scene.strips"), "torch")
    assert not allowed(rule_for("confiner_blender.client.wire"), "bpy")
    assert not allowed(rule_for("confiner_blender.protocol.codec"), "confiner_blender.client")
    assert not allowed(rule_for("confiner.method.control"), "asyncio.queues")
    assert not allowed(rule_for("confiner_server.process.listener"), "confiner.pipeline")
    assert not allowed(rule_for("confiner_server.process.listener"), "confiner_lab")
    assert allowed(rule_for("confiner_server.process.listener"), "confiner.chains.read")


def project_modules() -> Iterator[tuple[str, Path]]:
    """Every module of the project with its absolute name."""
    packages = [ROOT / "confiner_blender", *(path.parent for path in sorted((ROOT / "server").glob("*/__init__.py")))]
    for package in packages:
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def rule_for(module: str) -> Rule:
    return max((rule for rule in RULES if inside(module, rule.package)), key=lambda rule: len(rule.package))


def inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def allowed(rule: Rule, target: str) -> bool:
    top = target.split(".")[0]
    if any(inside(target, name) for name in rule.never):
        return False
    if top in sys.stdlib_module_names or top in rule.theirs:
        return True
    if not any(inside(target, other.package) for other in RULES):
        return False
    return rule_for(target).package in (rule.package, *rule.ours)


def imports_of(name: str, path: Path) -> Iterator[Import]:
    """What `from a import b` names is taken as a.b: that falls under the right rule whether b is a module or not."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, relative=False)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, node.module] if node.module else base
            for alias in node.names:
                yield Import(".".join([*module, alias.name]), node.lineno, relative=node.level > 0)


def heavy_after(code: str) -> list[str]:
    """Which of the heavy packages a fresh interpreter has loaded after `code`."""
    report = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'server'}"}
    done = subprocess.run([sys.executable, "-c", report], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
