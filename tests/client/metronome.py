# SPDX-License-Identifier: GPL-3.0-or-later
"""The real listener and the real worker process, with frames made by a clock instead of experts.

    python -m tests.client.metronome serve --chains FILE --beat SECONDS …     what `confiner serve` would be
    python -m tests.client.metronome worker …                                 its worker

Everything between the socket and the worker's engine is the product; only what computes is not.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import sys
import time
import zlib
from collections.abc import Generator
from pathlib import Path

from confiner_server.jobs.job_folders import frame_path, write_whole
from confiner_server.process.listener import run
from confiner_server.process.settings import Settings
from confiner_server.supervision.worker_messages import (
    JobFinished,
    JobFrame,
    JobMessage,
    JobPreview,
    JobStarted,
    JobStepped,
    RunJob,
)
from confiner_server.worker.channel import open_channel
from confiner_server.worker.loop import serve_jobs

from confiner_blender.protocol.messages import Problem, ShotRequest

CHAIN = "metronome"
SIZE = 64


def picture(seed: int, frame: int) -> bytes:
    """A PNG file of SIZE × SIZE grey pixels, another grey for each frame."""
    header = struct.pack("!IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    row = bytes([0]) + bytes([(seed * 31 + frame) % 256]) * 3 * SIZE
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(row * SIZE)), (b"IEND", b"")]
    packed = [
        struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def chain_file(folder: Path) -> Path:
    """A chain of experts whose places are all there, since nothing will be loaded from them."""
    schedule = 'beta_schedule = "linear"\nbeta_start = 0.0001\nbeta_end = 0.02\n'
    kinds = {"control": "animatediff", "spatial": "stable-diffusion", "temporal": "modelscope"}
    places = ("unet", "text_encoder", "tokenizer", "motion_adapter", "vae")
    for place in places:
        (folder / place).mkdir(parents=True, exist_ok=True)
    text = f'[{CHAIN}]\ntitle = "Metronome"\nvae = "./vae"\nsizes = [[{SIZE}, {SIZE}]]\nfps = 8\n'
    for role, kind in kinds.items():
        text += f'[{CHAIN}.{role}]\nkind = "{kind}"\nsource = "./"\n[{CHAIN}.{role}.schedule]\n{schedule}'
    path = folder / "chains.toml"
    path.write_text(text, encoding="utf-8")
    return path


class Metronome:
    """An engine that makes one frame a beat."""

    device = "cpu"

    def __init__(self, beat: float) -> None:
        self._beat = beat

    def run(self, job: RunJob) -> Generator[tuple[JobMessage, bytes], None, None]:
        request = {"num_frames": job.request.num_frames}
        yield JobStarted(job.job_id, {"beat": self._beat}, {"request": request}), b""
        yield JobPreview(job.job_id, 0), picture(job.request.seed, 255)
        for frame in range(job.request.num_frames):
            time.sleep(self._beat)
            yield JobStepped(job.job_id, "decode", frame + 1, job.request.num_frames, None), b""
            png = picture(job.request.seed, frame)
            write_whole(frame_path(Path(job.folder), frame), png)
            yield JobFrame(job.job_id, frame, hashlib.sha256(png).hexdigest(), pixels=f"pixels of {frame}"), b""
        yield JobFinished(job.job_id, {"request": request}), b""

    def advice(self, error: Exception, request: ShotRequest) -> Problem | None:
        return None

    def memory(self) -> dict[str, int]:
        return {}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["serve", "worker"])
    parser.add_argument("--parent", type=int)
    parser.add_argument("--grace", type=float, default=5.0)
    parser.add_argument("--beat", type=float, default=0.05)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--chains", type=Path)
    parser.add_argument("--socket")
    args = parser.parse_args()
    if args.role == "worker":
        serve_jobs(open_channel(args.socket), lambda: Metronome(args.beat))
    worker = (sys.executable, "-m", "tests.client.metronome", "worker", "--beat", str(args.beat))
    run(Settings(args.grace, args.parent, device=args.device, chains=args.chains, worker=worker))


if __name__ == "__main__":
    main()
