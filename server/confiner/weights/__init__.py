# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights on this machine: where they lie, whether they are whole, and which they are by content."""
