# SPDX-License-Identifier: GPL-3.0-or-later
"""The `confiner` program: one small file per command."""
