# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every job, its state and its numbered events, in one SQLite file that outlives kills and power cuts.

Only the listener opens it, from one thread. Steps and previews pass too quickly to be worth keeping: they take a
number, so that numbers only grow, and leave no row.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sqlite3
import time
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confiner_blender.protocol import codec, private_files
from confiner_blender.protocol.messages import Cancelled, Failed, Finished, FrameDone, JobEvent, Queued, ShotRequest

from .job_states import ENDED, JobState

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE jobs (
    place      INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of submission
    id         TEXT NOT NULL UNIQUE,
    request    TEXT NOT NULL,
    state      TEXT NOT NULL,
    last_event INTEGER NOT NULL DEFAULT 0,
    plan       TEXT,
    crashes    INTEGER NOT NULL DEFAULT 0,
    changed    REAL NOT NULL                        -- seconds since the epoch
);
CREATE TABLE events (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    frame  INTEGER,
    body   TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
"""

FORGOTTEN = "CREATE TABLE IF NOT EXISTS forgotten (id TEXT PRIMARY KEY) WITHOUT ROWID"
"""Jobs that are gone from the journal and whose folders may still be there, until a start has seen to it."""


class JournalUnreadable(Exception):
    """The journal's file is damaged, or of a later release."""

    def __init__(self, path: Path, seen: str) -> None:
        super().__init__(f"the journal {path} is {seen}")
        self.remedy = (
            f"update the sidecar, or move {path} away: the jobs in it are then listed no more, "
            f"and the frames of each stay in its folder beside the journal"
        )


@dataclass(frozen=True)
class Job:
    """One row. `crashes` counts the workers that died over it; `plan` is None until it was first started."""

    id: str
    request: ShotRequest
    state: JobState
    last_event: int
    plan: dict[str, Any] | None
    crashes: int


class Journal:
    def __init__(self, path: Path) -> None:
        """Open or create the journal.

        Raises:
            JournalUnreadable: the file is none of ours.
            UnusablePlace: it is a link, or another user's.
        """
        try:
            _make_private(path)
        except OSError as error:
            raise JournalUnreadable(path, f"not to be opened ({error.strerror or error})") from error
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version == 0 and not tables:
                self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
                version = SCHEMA_VERSION
            if version == SCHEMA_VERSION:
                self._db.execute(FORGOTTEN)
        except sqlite3.DatabaseError as error:
            raise JournalUnreadable(path, f"damaged ({error})") from error
        if version == 0:
            raise JournalUnreadable(path, "another program's")
        if version != SCHEMA_VERSION:
            raise JournalUnreadable(path, f"of version {version}, expected {SCHEMA_VERSION}")

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written inside is in the journal as a whole, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add(self, job_id: str, request: ShotRequest, state: JobState) -> None:
        row = (job_id, json.dumps(dataclasses.asdict(request)), state.value, time.time())
        with self.transaction():
            self._db.execute("INSERT INTO jobs (id, request, state, changed) VALUES (?, ?, ?, ?)", row)
            self._db.execute("DELETE FROM forgotten WHERE id = ?", (job_id,))

    def job(self, job_id: str) -> Job | None:
        found = self._select("WHERE id = ?", job_id)
        return found[0] if found else None

    def jobs(self, *states: JobState) -> list[Job]:
        """All jobs, or those in one of `states`, in the order in which they were submitted."""
        if not states:
            return self._select("ORDER BY place")
        marks = ", ".join("?" * len(states))
        return self._select(f"WHERE state IN ({marks}) ORDER BY place", *(state.value for state in states))

    def _select(self, clause: str, *values: object) -> list[Job]:
        rows = self._db.execute(f"SELECT id, request, state, last_event, plan, crashes FROM jobs {clause}", values)
        return [
            Job(
                job_id,
                codec.build(ShotRequest, json.loads(request), "the journal's request"),
                JobState(state),
                last_event,
                json.loads(plan) if plan else None,
                crashes,
            )
            for job_id, request, state, last_event, plan, crashes in rows
        ]

    def set_state(self, job_id: str, state: JobState) -> None:
        self._db.execute("UPDATE jobs SET state = ?, changed = ? WHERE id = ?", (state.value, time.time(), job_id))

    def set_plan(self, job_id: str, plan: dict[str, Any]) -> None:
        self._db.execute("UPDATE jobs SET plan = ? WHERE id = ?", (json.dumps(plan), job_id))

    def count_crash(self, job_id: str) -> int:
        """Note that a worker died over the job; how many have."""
        sql = "UPDATE jobs SET crashes = crashes + 1 WHERE id = ? RETURNING crashes"
        (crashes,) = self._db.execute(sql, (job_id,)).fetchone()
        return int(crashes)

    def next_number(self, job_id: str) -> int:
        """The number of the job's next event, taken for good."""
        sql = "UPDATE jobs SET last_event = last_event + 1 WHERE id = ? RETURNING last_event"
        (number,) = self._db.execute(sql, (job_id,)).fetchone()
        return int(number)

    def keep(self, event: JobEvent) -> None:
        """Keep an event for those who come back. Of a job's places in the queue only the latest is kept."""
        frame = event.frame if isinstance(event, FrameDone) else None
        row = (event.job_id, event.number, type(event).__name__, frame, codec.encode(event))
        if isinstance(event, Queued):
            self._db.execute("DELETE FROM events WHERE job_id = ? AND kind = ?", (event.job_id, row[2]))
        self._db.execute("INSERT INTO events (job_id, number, kind, frame, body) VALUES (?, ?, ?, ?, ?)", row)

    def kept(self, job_id: str, kind: type[JobEvent]) -> list[JobEvent]:
        """The kept events of one kind, in order."""
        sql = "SELECT body FROM events WHERE job_id = ? AND kind = ? ORDER BY number"
        rows = self._db.execute(sql, (job_id, kind.__name__))
        return [typing.cast(JobEvent, codec.decode(body)) for (body,) in rows]

    def take_back_end(self, job_id: str) -> None:
        """Forget that the job has ended, and how many workers died over it: it goes on."""
        kinds = (Cancelled.__name__, Failed.__name__, Finished.__name__)
        self._db.execute("DELETE FROM events WHERE job_id = ? AND kind IN (?, ?, ?)", (job_id, *kinds))
        self._db.execute("UPDATE jobs SET crashes = 0 WHERE id = ?", (job_id,))

    def next_event(self, job_id: str, after: int) -> JobEvent | None:
        """The first kept event of a job with a number greater than `after`."""
        sql = "SELECT body FROM events WHERE job_id = ? AND number > ? ORDER BY number LIMIT 1"
        row = self._db.execute(sql, (job_id, after)).fetchone()
        return typing.cast(JobEvent, codec.decode(row[0])) if row else None

    def frame_digest(self, job_id: str, frame: int) -> str | None:
        """The SHA-256 under which a frame was announced, if it was."""
        sql = "SELECT body FROM events WHERE job_id = ? AND frame = ?"
        row = self._db.execute(sql, (job_id, frame)).fetchone()
        return str(json.loads(row[0])["sha256"]) if row else None

    def frame_digests(self, job_id: str) -> dict[int, str]:
        """The SHA-256 of every frame that was announced."""
        rows = self._db.execute("SELECT frame, body FROM events WHERE job_id = ? AND frame IS NOT NULL", (job_id,))
        return {frame: str(json.loads(body)["sha256"]) for frame, body in rows}

    def take_back_frame(self, job_id: str, frame: int) -> None:
        """Forget that the frame was announced: it is announced anew."""
        self._db.execute("DELETE FROM events WHERE job_id = ? AND frame = ?", (job_id, frame))

    def frames_done(self, job_id: str) -> int:
        sql = "SELECT count(*) FROM events WHERE job_id = ? AND frame IS NOT NULL"
        return int(self._db.execute(sql, (job_id,)).fetchone()[0])

    def forget(self, job_id: str) -> None:
        """Strike the job out, and note that its folder may go: what is cut short after this, the next start ends."""
        with self.transaction():
            self._db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
            self._db.execute("INSERT OR IGNORE INTO forgotten (id) VALUES (?)", (job_id,))

    def forgotten(self) -> list[str]:
        """Ids of the jobs that were forgotten and whose folders may still be there."""
        return [job_id for (job_id,) in self._db.execute("SELECT id FROM forgotten ORDER BY id")]

    def folder_gone(self, job_id: str) -> None:
        """Nothing is left of a forgotten job."""
        self._db.execute("DELETE FROM forgotten WHERE id = ?", (job_id,))

    def stopped(self) -> list[str]:
        """Ids of the jobs that were cancelled or have failed, the latest first."""
        sql = "SELECT id FROM jobs WHERE state IN (?, ?) ORDER BY changed DESC, place DESC"
        states = (JobState.CANCELLED.value, JobState.FAILED.value)
        return [job_id for (job_id,) in self._db.execute(sql, states)]

    def ended_before(self, moment: float) -> list[str]:
        """Ids of the jobs that ended before `moment`, in seconds since the epoch."""
        sql = "SELECT id FROM jobs WHERE state IN (?, ?, ?) AND changed < ?"
        return [job_id for (job_id,) in self._db.execute(sql, (*(state.value for state in ENDED), moment))]


def _make_private(path: Path) -> None:
    """Close the data folder and what lies in it, and refuse links where SQLite would write by name."""
    private_files.close_to_others(private_files.private_folder(path.parent))
    os.close(private_files.open_private(path, os.O_RDWR | os.O_CREAT))
    for ending in ("-wal", "-shm", "-journal"):
        private_files.check_file(path.with_name(path.name + ending))
