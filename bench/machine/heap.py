"""Keeps freed memory in the process while it is measured.

glibc returns freed memory to the system or keeps it, depending on its address, and returned memory costs page faults in
every later call. For that reason a network was 12 % faster in one process than in the next, on a virtual machine of two
cores; with memory kept, eight processes agreed within 3 %.
"""

from __future__ import annotations

import ctypes
import platform

# Source: malloc.h of glibc; mallopt(3) for the limit of the second.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 2**30
_LARGEST_MMAP_THRESHOLD_BYTES = 32 * 2**20


def keep_freed_memory() -> bool:
    """Make the C library keep freed memory until the process ends; return whether it does.

    Blocks over 32 MiB still go back each time, in every process.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    reused: int = mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD_BYTES)
    kept: int = mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    return reused == kept == 1
