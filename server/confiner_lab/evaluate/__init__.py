# SPDX-License-Identifier: GPL-3.0-or-later
"""Experiments whose outcome can be counted: structure frames followed, prompts followed. See `confiner evaluate`."""
