# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts share: enable the installed extension, reach its modules, pump, write pictures, report."""

from __future__ import annotations

import importlib
import json
import queue
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import addon_utils
import bpy

ADD_ON = "bl_ext.user_default.confiner"
ARGUMENTS: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
FOLDER = Path(ARGUMENTS.get("folder", "."))


def enable() -> None:
    """Enable the extension in a Blender that starts with its factory settings."""
    assert addon_utils.enable(ADD_ON, default_set=True) is not None, "the extension could not be enabled"


def module(name: str) -> Any:
    """A module of the extension, under the name that Blender gave it."""
    return importlib.import_module(f"{ADD_ON}.{name}")


def report(**values: Any) -> None:
    print("RESULT " + json.dumps(values), flush=True)


def pump_until(done: Callable[[], bool], patience: float = 300) -> bool:
    """Pump as the timer would, until `done`; False if that takes longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    pump = module("host.callbacks.timer").pump
    while not done():
        if time.monotonic() > deadline:
            return False
        pump()
        time.sleep(0.01)
    return True


def add_shot(**settings: Any) -> Any:
    bpy.ops.confiner.add_shot()
    shot = bpy.context.scene.confiner.shots[-1]
    for name, value in settings.items():
        setattr(shot, name, value)
    return shot


def open_file(path: Path | str) -> None:
    """Open a .blend. In a Blender with a window, the script goes on in the window that the file brought."""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    if not bpy.app.background:
        bpy.context.temp_override(window=bpy.context.window_manager.windows[0]).__enter__()


def strips() -> list[Any]:
    return list(module("host.blender.compat").strips_of(bpy.context.scene))


def spans() -> list[tuple[str, int, int, int]]:
    """Name, channel and handles of every strip."""
    compat = module("host.blender.compat")
    return [(strip.name, strip.channel, *compat.handles(strip)) for strip in strips()]


def files_of(strip: Any) -> list[str]:
    return [element.filename for element in strip.elements]


def overlaps() -> list[tuple[str, str]]:
    """Pairs of strips that stand on the same channel at the same time."""
    found = spans()
    return [
        (a[0], b[0])
        for i, a in enumerate(found)
        for b in found[i + 1 :]
        if a[1] == b[1] and a[2] < b[3] and b[2] < a[3]
    ]


def missing_files() -> list[str]:
    """Pictures that strips name and that are not there."""
    missing = []
    for strip in strips():
        folder = Path(bpy.path.abspath(strip.directory))
        missing += [str(folder / name) for name in files_of(strip) if not (folder / name).exists()]
    return missing


def write_png(path: Path, colour: tuple[int, int, int], size: int = 64, width_coloured: int | None = None) -> None:
    """A square of one colour, or that is black from column `width_coloured` on."""
    coloured = size if width_coloured is None else width_coloured
    write_rows(path, [bytes(colour) * coloured + bytes(3) * (size - coloured)] * size, size)


def write_rows(path: Path, rows: list[bytes], width: int) -> None:
    """An RGB picture, its rows from the top."""
    header = struct.pack("!IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    path.parent.mkdir(parents=True, exist_ok=True)
    ends = (
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))),
        chunk(b"IEND", b""),
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(ends))


def pixels_of(path: Path) -> Any:
    """The picture as bytes, [height, width, 3], from the top."""
    import numpy as np

    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    values = np.array(image.pixels[:], dtype=np.float32).reshape(image.size[1], image.size[0], -1)[::-1, :, :3]
    bpy.data.images.remove(image)
    return (values * 255 + 0.5).astype(np.uint8)


class QuietSidecar:
    """Stands where the session stands: takes what it is asked for and answers nothing. The script plays the worker."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *values: self.asked.append((name, *values))


def be_the_sidecar() -> None:
    """From now on the script is the sidecar."""
    runtime = module("host.session.runtime").RUNTIME
    if runtime.session is None:
        runtime.session = QuietSidecar()


def start_job(shot: Any) -> Any:
    """A job as the button starts it, without a sidecar: the script plays the worker and feeds the pump itself."""
    be_the_sidecar()
    module("host.jobs.jobs").generate(bpy.context.scene, shot)
    return module("host.session.runtime").RUNTIME.jobs[shot.uuid]


def land(job: Any, frames: int, colour: tuple[int, int, int] = (200, 30, 30)) -> None:
    """Store the next `frames` frames of a job as the worker thread does, and pump their messages."""
    inbox, pump = module("client.session.inbox"), module("host.callbacks.timer")
    done = len(list(job.folder.glob("frame_*.png")))
    for frame in range(done, done + frames):
        path = job.folder / f"frame_{frame + 1:04d}.png"
        write_png(path, colour)
        pump.apply(inbox.FrameStored(job.entry.take, frame + 1, frame, path))


def finish(job: Any) -> None:
    inbox, pump = module("client.session.inbox"), module("host.callbacks.timer")
    land(job, job.entry.num_frames - len(list(job.folder.glob("frame_*.png"))))
    path = job.folder / "take.json"
    path.write_text((job.folder / "request.json").read_text())
    pump.apply(inbox.TakeStored(job.entry.take, path))


def fail(job: Any) -> None:
    """End a job as the sidecar does that cannot make it."""
    messages, pump = module("protocol.messages"), module("host.callbacks.timer")
    problem = messages.Problem("worker", "the experts gave up", "try another size")
    pump.apply(module("client.session.inbox").MessageArrived(messages.Refused(problem, job.entry.take)))


def press(operator: Any, **values: Any) -> Any:
    """Press a button as the author does: with an undo step, if the operator makes one."""
    return operator("EXEC_DEFAULT", True, **values)


def step(message: str) -> None:
    """End one of the author's own changes, as the interface does after each."""
    bpy.ops.ed.undo_push(message=message)


def on_timeline(shot: Any) -> list[str]:
    """The ids of the takes that the shot's strips show."""
    return [strip["confiner_take"] for strip in strips() if strip.get("confiner_shot") == shot.uuid]


def use_sidecar(**preferences: Any) -> None:
    """Set the preferences so that the add-on can start a sidecar."""
    chosen = bpy.context.preferences.addons[ADD_ON].preferences
    chosen.sidecar_python = ARGUMENTS["sidecar"]
    for name, value in preferences.items():
        setattr(chosen, name, value)


def restart_sidecar() -> None:
    """End the sidecar and start another one, with the preferences as they stand now."""
    messages, lifecycle, link = (
        module("protocol.messages"),
        module("client.session.session_states"),
        module("host.session.sidecar_link"),
    )
    runtime = module("host.session.runtime").RUNTIME
    runtime.session.send(messages.Shutdown())
    pump_until(lambda: runtime.link.state is lifecycle.State.CLOSED, 30)
    runtime.weights = {}
    link.reopen_link()
    pump_until(lambda: bool(runtime.weights))


def record_of(folder: Path) -> Any:
    """A take's record, as it lies beside its frames."""
    return json.loads((folder / "take.json").read_text(encoding="utf-8"))
