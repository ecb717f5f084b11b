# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process as the listener sees it: started, listened to, ended, and what the two say to each other."""
