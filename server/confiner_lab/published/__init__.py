# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed experts' repositories as they are published: every configuration, and which file holds which weights.

One TOML file per repository, written by hand from its public configurations (a TOML file has no null: keys whose value
is null are left out, since that is their default). What counts FLOPs builds the full-size networks from them, without
weights; what tests loading writes repositories of the same layout from them, scaled down.
"""

from .reading import NAMES, Repository, read_repository
from .scaled import scaled_down

__all__ = ["NAMES", "Repository", "read_repository", "scaled_down"]
