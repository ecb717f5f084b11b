# SPDX-License-Identifier: GPL-3.0-or-later
"""The method of the paper as functions on tensors: it knows no file, no machine and no model."""
