# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of bytes as a person reads them."""

from __future__ import annotations


def gigabytes(count: int) -> str:
    """Bytes in decimal units, as disks and the hub give them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
