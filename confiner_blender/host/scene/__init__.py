# SPDX-License-Identifier: GPL-3.0-or-later
"""The author's data in the .blend: shots, takes, and their strips on the timeline."""
