# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar as a process: how it starts, shows that it is there, and ends."""
