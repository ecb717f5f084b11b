# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar's own environment: installed, removed, and the way to it tested."""
