# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind the figures: the world the bundled experts learn, their training, and their judge."""
