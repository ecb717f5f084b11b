# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol's version: it changes whenever an older client and a newer sidecar could misunderstand each other."""

PROTOCOL_VERSION = 2
