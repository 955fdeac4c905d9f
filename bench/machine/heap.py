"""Keeps freed memory with the process while it is measured.

glibc gives freed memory back to the system or keeps it, by where it happens to lie, and what was given back costs
page faults in every later call. The same network was 12 % faster in one process than in the next for that alone, on
a virtual machine of two cores; kept, eight processes agreed within 3 %.
"""

from __future__ import annotations

import ctypes
import platform

# Source: malloc.h of glibc; mallopt(3) has the limit of the second.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 2**30
_LARGEST_MMAP_THRESHOLD_BYTES = 32 * 2**20


def keep_freed_memory() -> bool:
    """Have the C library keep what is freed, until the process ends; return whether it can be told so.

    Blocks over 32 MiB still go back each time, alike in every process.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    reused: int = mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD_BYTES)
    kept: int = mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    return reused == kept == 1
