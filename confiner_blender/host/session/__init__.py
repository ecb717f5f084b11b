# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way while Blender runs: the line to the sidecar and the timer that serves it."""
