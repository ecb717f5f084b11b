# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do. An operator reads what it was called for, calls, and reports: a few lines each."""

from . import fetching, generating, linking, picturing, prompting, storyboarding, taking

CLASSES = (
    *storyboarding.CLASSES,
    *prompting.CLASSES,
    *generating.CLASSES,
    *taking.CLASSES,
    *picturing.CLASSES,
    *linking.CLASSES,
    *fetching.CLASSES,
)
