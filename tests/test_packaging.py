# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user gets: one zip that Blender accepts, and in it a sidecar of the same version with all that it needs."""

import importlib.metadata as metadata
import io
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import confiner_blender

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def extension(extension_zip: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(extension_zip)


@pytest.fixture(scope="module")
def sidecar(extension: zipfile.ZipFile) -> zipfile.ZipFile:
    (name,) = (name for name in extension.namelist() if name.startswith("sidecar/"))
    return zipfile.ZipFile(io.BytesIO(extension.read(name)))


def test_the_manifest_names_the_version_of_the_package() -> None:
    assert MANIFEST["version"] == confiner_blender.__version__


def test_blender_carries_the_websockets_that_the_tests_run_with() -> None:
    (wheel,) = MANIFEST["wheels"]
    assert locate_weights("constraints")["websockets"] == {wheel.split("-")[1]}


def locate_weights(name: str) -> dict[str, set[str]]:
    """The versions that a lock names for each package: more than one where Pythons want different ones."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([\w-]+)==(\S+)", (ROOT / "server" / f"{name}.txt").read_text(), re.MULTILINE
    ):
        versions.setdefault(package, set()).add(version)
    return versions


def test_every_package_here_is_as_the_lock_holds_it() -> None:
    """torch, of which every machine has its own build, is held in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (torch,) = project["tool"]["uv"]["constraint-dependencies"]
    versions = locate_weights("constraints") | {"torch": {torch.removeprefix("torch==")}}
    unlocked = set(project["tool"]["uv"]["pip"]["no-emit-package"]) - {"torch"}
    here = {re.sub(r"[-_.]+", "-", each.name).lower(): each.version.split("+")[0] for each in metadata.distributions()}
    loose = {
        name
        for name in here
        if here[name] not in versions.get(name, ()) and name not in {*unlocked, "confiner-sidecar"}
    }
    assert not loose, f"python3 dev.py test puts them there as server/constraints.txt says: {sorted(loose)}"


@pytest.mark.parametrize("name", ["constraints", "blender", "uv"])
def test_every_held_package_has_hashes_and_none_is_torchs(name: str) -> None:
    entries = re.split(r"^(?=\S)", (ROOT / "server" / f"{name}.txt").read_text(), flags=re.MULTILINE)[1:]
    assert entries
    for entry in entries:
        assert re.match(r"[\w-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
        assert not re.match("torch|triton|nvidia-|cuda-", entry), f"{entry}: belongs into no-emit-package"


def test_blender_accepts_the_zip(blender_python: Path, extension_zip: Path) -> None:
    (tool,) = blender_python.parent.parent.rglob("bl_pkg/cli/blender_ext.py")
    done = subprocess.run([blender_python, tool, "validate", extension_zip], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_zip_holds_the_extension_its_wheels_and_one_sidecar(extension: zipfile.ZipFile) -> None:
    names = extension.namelist()
    assert {"__init__.py", "blender_manifest.toml", "LICENSE"} <= set(names)
    assert {name.split("/")[0] for name in names if "/" in name} == {
        *(path.parent.name for path in (ROOT / "confiner_blender").glob("*/__init__.py")),
        "wheels",
        "sidecar",
    }
    wheels = [f"./{name}" for name in names if name.startswith("wheels/")]
    assert wheels == MANIFEST["wheels"]
    assert f"sidecar/confiner_sidecar-{MANIFEST['version']}-py3-none-any.whl" in names


def test_the_zip_is_the_tree_as_it_stands(extension: zipfile.ZipFile) -> None:
    package = ROOT / "confiner_blender"
    stale = [
        path.relative_to(ROOT)
        for path in package.rglob("*.py")
        if path.name != "build.py" and extension.read(path.relative_to(package).as_posix()) != path.read_bytes()
    ]
    assert not stale, f"{stale} differ in the zip"
    assert "build.py" not in extension.namelist()


def test_the_sidecar_holds_every_module_and_the_bundled_weights(sidecar: zipfile.ZipFile) -> None:
    packages = [path.parent for path in (ROOT / "server").glob("*/__init__.py")]
    files = [path for package in packages for path in package.rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT / "server").as_posix() for path in files if "__pycache__" not in path.parts}
    assert "confiner/__init__.py" in wanted
    assert any(name.startswith("confiner/bundled/") and name.endswith(".safetensors") for name in wanted)
    assert not wanted - set(sidecar.namelist())


def test_the_sidecar_holds_of_the_extension_only_the_protocol(sidecar: zipfile.ZipFile) -> None:
    names = [name.split("/") for name in sidecar.namelist() if name.startswith("confiner_blender/")]
    assert {name[1] for name in names} == {"__init__.py", "protocol"}


def test_the_sidecar_brings_the_confiner_program(sidecar: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in sidecar.namelist() if name.endswith("entry_points.txt"))
    assert "confiner = confiner_cli.main:main" in sidecar.read(entry_points).decode()


def test_the_program_runs_from_the_wheel_alone(sidecar: zipfile.ZipFile, tmp_path: Path) -> None:
    """What an animator installs has no source tree beside it: the chains that ship with it are read from the wheel."""
    sidecar.extractall(tmp_path)
    code = (
        "import confiner, sys; from confiner_cli.main import main; print(confiner.__file__); sys.exit(main(['chains']))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert "bundled" in done.stdout
