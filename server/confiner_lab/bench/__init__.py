# SPDX-License-Identifier: GPL-3.0-or-later
"""Timings and costs behind the figures: one file per question."""
