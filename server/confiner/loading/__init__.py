# SPDX-License-Identifier: GPL-3.0-or-later
"""From the files on disk to a chain of experts that can be asked."""
