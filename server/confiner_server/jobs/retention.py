# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the files of jobs wait that nobody works on: for a client that fetches them, or for the job to go on."""

from __future__ import annotations

import time

from .job_folders import JobFolders
from .job_states import JobState
from .journal import Journal

KEPT_SECONDS = 14 * 24 * 3600.0
"""How long an ended job's files wait: a finished one's to be fetched, another's for the job to go on."""

KEPT_BYTES = 4 * 1024**3
"""What the files of all jobs that were cancelled or have failed may take together; the oldest go first."""


def outdated(journal: Journal) -> list[str]:
    """Jobs that ended long ago, and jobs whose structure frames never came whole: whoever sent them is gone."""
    halfway = [job.id for job in journal.jobs(JobState.RECEIVING)]
    return [*journal.ended_before(time.time() - KEPT_SECONDS), *halfway]


def beyond_limit(journal: Journal, folders: JobFolders) -> list[str]:
    """Of the jobs that were cancelled or have failed, those that KEPT_BYTES do not hold. The latest always stays."""
    found, total = [], 0
    for place, job_id in enumerate(journal.stopped()):
        total += folders.size(job_id)
        if place > 0 and total > KEPT_BYTES:
            found.append(job_id)
    return found
