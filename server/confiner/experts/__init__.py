# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffusion models of others, each adapted at the edge to one convention (`expert`)."""
