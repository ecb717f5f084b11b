# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom. The arrows point one way, so that each part can be read, tested and replaced on its own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs.from_code.modules import ROOT, imports_of, inside, project_modules

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
LIGHT = (  # the library without torch
    "confiner.chains",
    "confiner.errors",
    "confiner.registry",
    "confiner.method.prompt_schedule",
    "confiner.method.rules",
)
LIGHT_METHOD = ("confiner.errors", "confiner.registry", "confiner.method.prompt_schedule", "confiner.method.rules")
LIBRARY = (  # each may import those before it
    "confiner.method",
    "confiner.weights",
    "confiner.memory",
    "confiner.experts",
    "confiner.loading",
    "confiner.generation",
    "confiner.hub",
)
NO_FILES = ("os", "io", "pathlib", "shutil", "tempfile", "subprocess")
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
    Rule("confiner", ours=(*LIGHT, *LIBRARY), theirs=MODELS, never=NO_SOCKETS),
    Rule("confiner.errors", never=NO_SOCKETS),
    Rule("confiner.registry", ours=("confiner.errors",), never=NO_SOCKETS),
    Rule("confiner.method", ours=LIGHT_METHOD, theirs=("torch", "numpy"), never=(*NO_SOCKETS, *NO_FILES)),
    Rule("confiner.method.prompt_schedule", never=(*NO_SOCKETS, *NO_FILES)),
    Rule("confiner.method.rules", ours=("confiner.registry", "confiner.method"), theirs=("torch",), never=NO_FILES),
    Rule("confiner.chains", ours=LIGHT, never=NO_SOCKETS),
    Rule("confiner.weights", ours=LIGHT, never=NO_SOCKETS),
    Rule("confiner.memory", ours=(*LIGHT, "confiner.weights"), theirs=MODELS, never=NO_SOCKETS),
    Rule("confiner.experts", ours=(*LIGHT, "confiner.memory", "confiner.method"), theirs=MODELS, never=NO_SOCKETS),
    Rule("confiner.loading", ours=(*LIGHT, *LIBRARY[:4]), theirs=MODELS, never=NO_SOCKETS),
    Rule("confiner.generation", ours=(*LIGHT, *LIBRARY[:5]), theirs=MODELS, never=NO_SOCKETS),
    Rule("confiner.hub", ours=(*LIGHT, *LIBRARY[:5]), theirs=MODELS, never=NO_SOCKETS),
    Rule(
        "confiner_server",
        ours=("confiner_blender", "confiner_blender.protocol", *LIGHT),
        theirs=("websockets",),
    ),
    Rule(
        "confiner_server.worker",
        ours=("confiner_server", "confiner_blender.protocol", "confiner", *LIGHT, *LIBRARY),
        theirs=MODELS,
    ),
    Rule(
        "confiner_server.weights.fetcher",
        ours=("confiner_server", "confiner_blender.protocol", "confiner", *LIGHT, *LIBRARY),
    ),
    Rule("confiner_lab", ours=("confiner", *LIGHT, *LIBRARY), theirs=(*MODELS, "PIL"), never=NO_SOCKETS),
    # A script for Blender's own Python, which reads it as a file; no module of ours imports it, nor it any of ours.
    Rule("confiner_lab.evaluate.greybox_scene", theirs=("bpy", "bpy_extras", "mathutils")),
    Rule(
        "confiner_cli",
        ours=(
            "confiner",
            *LIGHT,
            *LIBRARY,
            "confiner_server",
            "confiner_lab",
            "confiner_blender",
            "confiner_blender.protocol",
        ),
        theirs=(*MODELS, "imageio_ffmpeg", "websockets"),
    ),
]


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


@pytest.mark.parametrize("package", ["confiner", "confiner_server", "confiner_blender.client", "confiner_blender.host"])
def test_the_rooms_of_a_package_are_in_no_circle(package: str) -> None:
    """A room is a folder, or a file, right under the package; an arrow goes from what imports to what is imported."""
    arrows = {
        (room, other)
        for name, path in project_modules()
        if inside(name, package) and (room := room_of(name, package))
        for found in imports_of(name, path)
        if (other := room_of(found.target, package)) and other != room
    }
    rooms = {room for arrow in arrows for room in arrow}
    while ground := {room for room in rooms if not any(a == room and b in rooms for a, b in arrows)}:
        rooms -= ground
    assert not rooms, f"in a circle, or above one: {sorted(rooms)}"


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
        ("confiner_blender.host.strips", True),
    }


def test_the_rules_catch_what_they_forbid() -> None:
    assert not allowed(rule_for("confiner_blender.host.scene.strips"), "torch")
    assert not allowed(rule_for("confiner_blender.client.wire"), "bpy")
    assert not allowed(rule_for("confiner_blender.protocol.codec"), "confiner_blender.client")
    assert not allowed(rule_for("confiner.method.control"), "asyncio.queues")
    assert not allowed(rule_for("confiner_server.process.listener"), "confiner.pipeline")
    assert not allowed(rule_for("confiner_server.process.listener"), "confiner_lab")
    assert allowed(rule_for("confiner_server.process.listener"), "confiner.chains.read")


def rule_for(module: str) -> Rule:
    return max((rule for rule in RULES if inside(module, rule.package)), key=lambda rule: len(rule.package))


def room_of(module: str, package: str) -> str:
    """The first name behind the package's; empty for the package itself and for what is outside it."""
    return module.removeprefix(f"{package}.").split(".")[0] if module.startswith(f"{package}.") else ""


def allowed(rule: Rule, target: str) -> bool:
    top = target.split(".")[0]
    if any(inside(target, name) for name in rule.never):
        return False
    if top in sys.stdlib_module_names or top in rule.theirs:
        return True
    if not any(inside(target, other.package) for other in RULES):
        return False
    return rule_for(target).package in (rule.package, *rule.ours)


def heavy_after(code: str) -> list[str]:
    """Which of the heavy packages a fresh interpreter has loaded after `code`."""
    report = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'server'}"}
    done = subprocess.run([sys.executable, "-c", report], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
