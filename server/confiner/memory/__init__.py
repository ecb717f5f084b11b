# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory that a chain needs and that a machine has, and what rests outside the device to fit."""
