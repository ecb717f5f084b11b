# SPDX-License-Identifier: GPL-3.0-or-later
"""The chains' weights: what there is, and downloads of what is missing."""
