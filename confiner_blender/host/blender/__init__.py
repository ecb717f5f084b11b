# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender as this extension meets it: versions, colours, paths, preferences."""
