# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner doctor`: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .chain_file import add_file_argument
from .errors import CommandError

if TYPE_CHECKING:
    from confiner.chains import ChainSpec

HELP = "say what is there, what is missing and what to do about it"
OLDEST_PYTHON = (3, 11)
PACKAGES = ("torch", "diffusers", "transformers", "safetensors", "numpy", "pillow", "websockets")
LITTLE_DISK = 2 * 2**30
LITTLE_MEMORY = 2 * 2**30
SECONDS = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fine` is None where it is neither good nor bad; what is `needed` must be fine."""

    name: str
    fine: bool | None
    seen: str
    remedy: str = ""
    needed: bool = True

    @property
    def failed(self) -> bool:
        return self.fine is False and self.needed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file_argument(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was found to this file")


def run(args: argparse.Namespace) -> int:
    findings = list(examine(args.chains))
    print("\n".join(describe(finding) for finding in findings))
    if args.json:
        write_json(args.json, findings)
    failed = sum(finding.failed for finding in findings)
    print(f"\n{failed} needed thing(s) missing" if failed else "\neverything needed is there")
    return 1 if failed else 0


def describe(finding: Finding) -> str:
    """The finding as a person reads it: one line, and one more if there is something to do."""
    mark = {None: "–", True: "ok", False: "MISSING" if finding.needed else "missing"}[finding.fine]
    line = f"{mark:8} {finding.name:18} {finding.seen}"
    return f"{line}\n{'':27} → {finding.remedy}" if finding.remedy else line


def write_json(path: Path, findings: list[Finding]) -> None:
    values = {
        "ok": not any(finding.failed for finding in findings),
        "findings": [dataclasses.asdict(finding) for finding in findings],
    }
    try:
        path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", "name another file for --json") from error


def examine(chain_file: Path | None) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which it would be needed."""
    looks: dict[str, Callable[[], Finding | Iterator[Finding]]] = {
        "python": _python,
        **{name: partial(_package, name) for name in PACKAGES},
        "device": _device,
        "card": _unused_card,
        "memory": _memory,
        "ffmpeg": _movies,
        "chains": partial(_chains, chain_file),
        "folders": _folders,
        "sidecar": _sidecar,
    }
    for name, look in looks.items():
        yield from _guarded(name, look)


def _guarded(name: str, look: Callable[[], Finding | Iterator[Finding]]) -> Iterator[Finding]:
    """What was found; where the look itself fails, that: the rest is still to be looked at."""
    try:
        found = look()
        yield from [found] if isinstance(found, Finding) else found
    except Exception as error:  # noqa: BLE001 - whatever is broken here is what doctor is asked about
        seen = f"cannot be looked at ({type(error).__name__}: {error})"
        yield Finding(name, False, " ".join(seen.split()), "mend that, or report it with all that doctor says")


def _python() -> Finding:
    fine = sys.version_info >= OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        "python", fine, f"{platform.python_version()} at {sys.executable}", "" if fine else f"install {oldest}"
    )


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"{sys.executable} -m pip install {name}")


def _device() -> Finding:
    try:
        import torch
        from confiner.memory.device import available_kinds, default_dtype
    except ImportError as error:
        return Finding("device", False, f"torch does not load: {error}", "install torch anew for this Python")
    kind = available_kinds()[0]
    name = torch.cuda.get_device_name() if kind == "cuda" else f"{os.cpu_count()} cores, {platform.machine()}"
    precision = str(default_dtype(torch.device(kind))).removeprefix("torch.")
    slow = "the bundled experts run well on a CPU; large ones want a GPU" if kind == "cpu" else ""
    return Finding("device", None if slow else True, f"{kind}, {name}, {precision}", slow)


def _unused_card() -> Iterator[Finding]:
    """An NVIDIA card that this torch was not built for; nothing where there is none."""
    import torch

    from confiner_blender.protocol.cards import nvidia_cards, without_cuda

    if torch.version.cuda is None and (cards := nvidia_cards()):
        python = f'"{sys.executable}"'
        remedy = (
            "reinstall: press Install the Sidecar in Blender, or type: "
            f"{python} -m pip install uv, then {python} -m uv pip install --python {python} "
            "--torch-backend auto --reinstall-package torch torch"
        )
        yield Finding("card", False, without_cuda(cards[0], torch.__version__), remedy, needed=False)


def _memory() -> Finding:
    import torch
    from confiner.memory.choice import available_memory
    from confiner.memory.device import available_kinds

    free = available_memory(torch.device(available_kinds()[0]))
    fine = free >= LITTLE_MEMORY
    return Finding("memory", fine, f"{_gigabytes(free)} free", "" if fine else "close other programs", needed=False)


def _movies() -> Finding:
    try:
        import imageio_ffmpeg

        return Finding("ffmpeg", True, str(imageio_ffmpeg.get_ffmpeg_exe()), needed=False)
    except (ImportError, RuntimeError) as error:
        remedy = f"{sys.executable} -m pip install imageio-ffmpeg; only --movie needs it"
        return Finding("ffmpeg", False, f"none found: {error}", remedy, needed=False)


def _chains(chain_file: Path | None) -> Iterator[Finding]:
    """Each chain's weights. One chain that can run is enough; without any, nothing can be made."""
    from confiner.chains import read_chains
    from confiner.errors import ConfinerError

    try:
        chains = read_chains(chain_file)
    except ConfinerError as error:
        yield Finding("chains", False, str(error), error.remedy)
        return
    troubles = {name: _trouble(spec) for name, spec in chains.items()}
    any_runs = any(trouble is None for trouble in troubles.values())
    for name, spec in chains.items():
        if (trouble := troubles[name]) is not None:
            yield Finding(f"chain {name}", False, *trouble, needed=not any_runs)
        else:
            yield Finding(f"chain {name}", True, f"{spec.title}; weights are here")
            yield from _guarded("  in memory", partial(_fit, spec))


def _trouble(spec: ChainSpec) -> tuple[str, str] | None:
    """Why a chain cannot run here, and what to do; None if it can."""
    from confiner.chains.compatibility import check_chain
    from confiner.errors import ConfinerError

    if spec.missing and not spec.damaged:
        return spec.missing, f"download its weights with confiner fetch {spec.name}, or use another chain"
    try:
        check_chain(spec)
    except ConfinerError as error:
        return str(error), error.remedy
    return None


def _fit(spec: ChainSpec) -> Finding:
    """How the chain is fitted into the memory that is there now."""
    import torch
    from confiner.memory.choice import choose, explain, machine_with
    from confiner.memory.device import find_device
    from confiner.memory.estimate import chain_sizes

    machine, sizes = machine_with(torch.device(find_device())), chain_sizes(spec)
    choice = choose(machine, sizes)
    fits = choice.bytes_needed(sizes) <= machine.budget
    remedy = "" if fits else "close other programs, or choose a smaller size or chain"
    return Finding("  in memory", fits, explain(machine, sizes, choice), remedy, needed=False)


def _folders() -> Iterator[Finding]:
    """The sidecar's two folders: can they be written, and is there room?"""
    from confiner_blender.protocol.rendezvous import data_folder, runtime_folder

    for name, folder in (("runtime folder", runtime_folder()), ("data folder", data_folder())):
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        fine = there.is_dir() and os.access(there, os.W_OK)
        yield Finding(name, fine, str(folder), "" if fine else f"{there} cannot be written: change its rights")
    free = shutil.disk_usage(there).free
    fine = free >= LITTLE_DISK
    remedy = "" if fine else "make room: takes and checkpoints are kept there"
    yield Finding("disk", fine, f"{_gigabytes(free)} free at {there}", remedy, needed=False)


def _sidecar() -> Finding:
    from confiner_server.process.readiness import read_connection

    connection = read_connection()
    if connection is None:
        return Finding("sidecar", None, "not running; Blender starts it when it is needed, or `confiner serve` does")
    where = f"{connection.host}:{connection.port}, pid {connection.pid}"
    try:
        socket.create_connection((connection.host, connection.port), timeout=SECONDS).close()
    except OSError as error:
        seen = f"its connection file names {where}, where nobody answers ({error})"
        remedy = "end that process if it hangs; the next start mends the file"
        return Finding("sidecar", False, seen, remedy, needed=False)
    return Finding("sidecar", True, f"version {connection.version} runs at {where}")


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
