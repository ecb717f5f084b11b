# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs: what was asked for, which one runs, what became of it, and their files."""
