# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation with a running sidecar, on a thread of its own."""
