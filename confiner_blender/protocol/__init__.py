# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on and the sidecar say to each other: messages, their coding, framing and errors. Does no I/O."""
