# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar: a listener that keeps the jobs, and a worker process that computes them.

    listener    starts, stops and wires what follows together
    connection  one client: its handshake, its messages, what it still has to be sent (handshake, delivery)
    scheduler   the jobs: which one runs, what became of it (states, events, admission, folders, journal)
    supervisor  the worker process: started, listened to, restarted (wire: what is said to it)
    worker/     the process that loads the experts; the only part that imports the library's heavy half

Nothing outside `worker/` imports torch or numpy, so the listener is ready in a fraction of a second.
"""
