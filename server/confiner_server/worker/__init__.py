# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that computes: it takes jobs from the listener, one after the other, and runs them through the library.

It ends at once when the listener does. Whatever it writes is whole on disk before it says so, so it may be killed at
any moment.
"""
