"""Gives back the memory of files that a library maps and has read; the system reads them again where needed."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_MADV_DONTNEED = 4  # Source: Linux, include/uapi/asm-generic/mman-common.h


def release_mapped(folder: Path) -> None:
    """Drop this process's pages of the files below a folder that are mapped for reading alone.

    Pages that can be written to may hold changes and are left. Does nothing on other systems than Linux.
    """
    if sys.platform != "linux":
        return
    libc, folder = ctypes.CDLL(None), folder.resolve()  # the system names files without links
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[1].startswith("r--") and folder in Path(fields[5]).parents:
            start, end = (int(address, 16) for address in fields[0].split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)
