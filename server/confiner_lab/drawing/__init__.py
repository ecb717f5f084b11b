# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures for people: contact sheets and plots, drawn with pillow alone."""
