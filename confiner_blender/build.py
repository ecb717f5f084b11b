# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the extension's zip: `python -m confiner_blender.build` prints its path.

It stands beside what it packs and is itself in neither package:

    confiner_blender/ ─┬─► the extension's root, with the manifest and the pure wheels that it names (wheels/)
                       └─► __init__ and protocol ─┐
    server/ ──────────────────────────────────────┴─► the sidecar's wheel, carried as data (sidecar/)

Blender's own builder packs and checks the result. The same sources give the same bytes.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLENDER = "CONFINER_BLENDER_PYTHON"
NOT_SOURCE = ("__pycache__", "*.egg-info")
EPOCH = 315532800  # 1980-01-01, the first day a zip can name


def main() -> None:
    parser = argparse.ArgumentParser(prog="confiner_blender.build", description="build the extension's zip")
    default = os.environ.get(BLENDER)
    blender_help = f"a Python that has Blender's module, bpy; default: ${BLENDER}"
    parser.add_argument("--blender", type=Path, default=default, required=default is None, help=blender_help)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the zip, and for its wheels")
    arguments = parser.parse_args()
    print(build(arguments.blender, arguments.out.resolve()))


def build(blender: Path, out: Path) -> Path:
    """The zip in `out`, made again only where its sources have changed. Raises CalledProcessError."""
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    zip_file = out / f"{manifest['id']}-{manifest['version']}.zip"
    record = zip_file.with_suffix(".sources")
    digest = digest_of(sources())
    if zip_file.exists() and record.exists() and record.read_text() == digest:
        return zip_file
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix="stage-") as stage:
        extension = stage_extension(Path(stage), [Path(wheel).name for wheel in manifest["wheels"]], out / "wheels")
        packed = Path(stage) / zip_file.name
        blender_command(blender, "build", "--source-dir", extension, "--output-filepath", packed)
        blender_command(blender, "validate", packed)
        packed.replace(zip_file)
    record.write_text(digest)
    return zip_file


def stage_extension(stage: Path, wheels: list[str], cache: Path) -> Path:
    """The folder that becomes the zip."""
    extension = stage / "extension"
    shutil.copytree(ROOT / "confiner_blender", extension, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    (extension / Path(__file__).name).unlink()
    for name in ("blender_manifest.toml", "LICENSE"):
        shutil.copy(ROOT / name, extension)
    (extension / "wheels").mkdir()
    for wheel in wheels:
        shutil.copy(fetch(wheel, cache), extension / "wheels")
    build_sidecar_wheel(stage / "source", extension / "sidecar")
    (extension / "host" / "scene" / "rules.json").write_bytes(listed_rules())
    for path in extension.rglob("*"):
        os.utime(path, (EPOCH, EPOCH))
    return extension


def fetch(wheel: str, cache: Path) -> Path:
    """The pure wheel of that file name, from `cache` or the package index."""
    found = re.fullmatch(r"([^-]+)-([^-]+)-py3-none-any\.whl", wheel)
    if not found:
        raise ValueError(f"{wheel} in blender_manifest.toml is no pure wheel (NAME-VERSION-py3-none-any.whl)")
    if not (cache / wheel).exists():
        only_pure = ("--no-deps", "--only-binary", ":all:", "--platform", "any")
        pip("download", *only_pure, "--dest", cache, "==".join(found.groups()))
    return cache / wheel


def listed_rules() -> bytes:
    """The library's rules as a sidecar lists them, so that menus are whole before there is a sidecar."""
    code = """
from confiner_blender.protocol import codec, messages
from confiner_server.weights.catalogue import rule_infos
print(codec.encode(messages.Chains([], rule_infos())))
"""
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout


def build_sidecar_wheel(source: Path, target: Path) -> None:
    """Built from a copy: setuptools leaves folders in its source, and takes up what older builds left there."""
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for package in ("server", "confiner_blender/protocol"):
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    shutil.copy(ROOT / "confiner_blender" / "__init__.py", source / "confiner_blender")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, source)


def sources() -> Iterator[Path]:
    """Every file that the zip depends on."""
    for name in ("blender_manifest.toml", "pyproject.toml", "README.md", "LICENSE"):
        yield ROOT / name
    for folder in ("confiner_blender", "server"):
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not any(fnmatch(part, pattern) for part in parts for pattern in NOT_SOURCE):
                yield path


def digest_of(paths: Iterator[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def blender_command(blender: Path, *arguments: object) -> None:
    """Run Blender's extension tool, which needs Blender's files but does not load Blender."""
    find = "import importlib.util as u; print(u.find_spec('bpy').submodule_search_locations[0])"
    module = subprocess.run([blender, "-c", find], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    (tool,) = Path(module).glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    run(blender, tool, *arguments)


def pip(*arguments: object) -> None:
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments)


def run(*command: object) -> None:
    """What the tools print goes to stderr: the one line on stdout is the path of the zip."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr, env=environment)


if __name__ == "__main__":
    main()
