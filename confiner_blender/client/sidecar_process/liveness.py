# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process lives, on every system, without touching it."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _QUERY_LIMITED_INFORMATION = 0x1000
    _STILL_ACTIVE = 259
    _ACCESS_DENIED = 5

    def alive(pid: int) -> bool:
        """Whether process `pid` lives."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        if not handle:
            return ctypes.get_last_error() == _ACCESS_DENIED
        try:
            code = wintypes.DWORD()
            kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code))
            return code.value == _STILL_ACTIVE
        finally:
            kernel.CloseHandle(wintypes.HANDLE(handle))

else:

    def alive(pid: int) -> bool:
        """Whether process `pid` lives. A child of ours that ended is collected, since a zombie would look alive."""
        if pid <= 0:
            return False
        try:
            collected, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass  # not our child: the signal below tells
        else:
            if collected == pid:
                return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
