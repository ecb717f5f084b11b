# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar as a process: found where it runs, started where it does not."""
