# SPDX-License-Identifier: GPL-3.0-or-later
"""What a chain needs from the hub, and downloading it."""
