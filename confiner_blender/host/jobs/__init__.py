# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot's way from the button to its take: captured, submitted, followed, ended."""
