# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that computes nothing: the real loop, channel, files and process, with an engine of hashes.

Every step hashes the one before, and frame n shows the hash after step n + 1. So a job that resumed from anything but
its true state would show other frames. Words in the prompt direct it:

    pause=0.2   seconds a step takes
    die=3       the process kills itself when it would do step 3
    fail=3      step 3 raises
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import signal
import struct
import time
import zlib
from collections.abc import Generator
from pathlib import Path

from confiner.errors import DeviceMissing
from confiner_server.jobs.job_folders import checkpoint_path, frame_path, structure_path, write_whole
from confiner_server.supervision.worker_messages import (
    FromWorker,
    JobFinished,
    JobFrame,
    JobPreview,
    JobStarted,
    JobStepped,
    MemoryUsed,
    RunJob,
)
from confiner_server.worker.channel import open_channel
from confiner_server.worker.frame_files import Frames
from confiner_server.worker.loop import serve_jobs

from confiner_blender.protocol.messages import Problem, ShotRequest


class HashEngine:
    device = "double"

    def run(self, job: RunJob) -> Generator[tuple[FromWorker, bytes], None, None]:
        folder, request = Path(job.folder), job.request
        frames = Frames(job)
        words = dict(word.split("=") for word in request.prompt.split() if "=" in word)
        yield JobStarted(job.job_id, job.plan or {"worker": os.getpid()}, {"seed": request.seed, "frames": []}), b""
        yield MemoryUsed({"resident": 1}), b""
        begin = (0, self._seed(request, folder))
        restored = self._restored(folder) or begin
        make = functools.partial(self._make, job, words, frames)
        for frame in frames.untold(before=restored[0]):
            yield self._told(job.job_id, folder, frame), b""
        if lost := frames.lost(before=restored[0]):
            yield from make(begin, lost[-1] + 1, keep=False)
        digest = yield from make(restored, request.num_frames, keep=True)
        if lost := frames.lost():
            yield from make(begin, lost[-1] + 1, keep=False)
        frames.check()
        yield JobFinished(job.job_id, {"digest": digest}), b""

    def _make(
        self, job: RunJob, words: dict[str, str], frames: Frames, state: tuple[int, str], until: int, *, keep: bool
    ) -> Generator[tuple[FromWorker, bytes], None, str]:
        folder, request, (step, digest) = Path(job.folder), job.request, state
        while step < until:
            if words.get("die") == str(step + 1):
                os.kill(os.getpid(), signal.SIGKILL)
            if words.get("fail") == str(step + 1):
                raise RuntimeError("told to fail")
            time.sleep(float(words.get("pause", 0)))
            step, digest = step + 1, hashlib.sha256(f"{digest} {step}".encode()).hexdigest()
            yield JobStepped(job.job_id, "refine", step, request.num_frames, 1.5), b""
            yield JobPreview(job.job_id, step - 1), png(digest, 8, 8)
            frames.put(step - 1, png(digest, request.width, request.height))
            yield self._told(job.job_id, folder, step - 1), b""
            if keep:
                write_whole(checkpoint_path(folder), json.dumps([step, digest]).encode())
        return digest

    def advice(self, error: Exception, request: ShotRequest) -> Problem | None:
        return None

    def _restored(self, folder: Path) -> tuple[int, str] | None:
        path = checkpoint_path(folder)
        return tuple(json.loads(path.read_text())) if path.exists() else None

    def _seed(self, request: ShotRequest, folder: Path) -> str:
        frames = request.structure.num_frames if request.structure else 0
        structure = b"".join(structure_path(folder, frame).read_bytes() for frame in range(frames))
        return hashlib.sha256(f"{request.seed}".encode() + structure).hexdigest()

    def _told(self, job_id: str, folder: Path, frame: int) -> JobFrame:
        digest = hashlib.sha256(frame_path(folder, frame).read_bytes()).hexdigest()
        return JobFrame(job_id, frame, digest, pixels=digest[:8])


def png(digest: str, width: int, height: int) -> bytes:
    """An RGB image whose pixels repeat the digest, as large as it would be with real ones."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    row = b"\0" + (bytes.fromhex(digest) * (width * 3 // 32 + 1))[: width * 3]
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(row * height, level=0))
        + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket")
    parser.add_argument("--device")
    parser.add_argument("--chains")
    args = parser.parse_args()

    def make_engine() -> HashEngine:
        if args.device == "nowhere":
            raise DeviceMissing("the device 'nowhere'", "one that is here", "choose another device")
        return HashEngine()

    serve_jobs(open_channel(args.socket), make_engine)
