# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's side of the socket: finds or starts the sidecar, talks to it on a thread, lands takes in folders.

lifecycle and conversation decide, launcher, transport, landing and installation act, session ties them to one thread.
"""
