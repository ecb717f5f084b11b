# SPDX-License-Identifier: GPL-3.0-or-later
"""The clients of the sidecar: who may talk to it, and what each says and is told."""
