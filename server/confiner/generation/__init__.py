# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to frames: the shot's steps in their order, over a state that can be saved."""
