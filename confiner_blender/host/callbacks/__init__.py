# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender calls by itself: the timer, and the handlers for opening, saving and undo."""
