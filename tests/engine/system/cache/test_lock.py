"""One process or thread at a time holds a lock, and a dead process frees it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from depthrt.engine.system.cache.lock import file_lock

PATIENCE_S = 30
HOLDER = """
import sys, time
from pathlib import Path
from depthrt.engine.system.cache.lock import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_threads_exclude_each_other_and_are_told_once_that_they_wait(tmp_path: Path) -> None:
    order: list[str] = []
    waits = threading.Event()

    def on_wait() -> None:
        order.append("waits")
        waits.set()

    def second() -> None:
        with file_lock(tmp_path / "lock", on_wait=on_wait):
            order.append("second")

    thread = threading.Thread(target=second)
    with file_lock(tmp_path / "lock", on_wait=lambda: order.append("never")):
        thread.start()
        assert waits.wait(PATIENCE_S)
        order.append("first")
    thread.join(PATIENCE_S)
    assert order == ["waits", "first", "second"]


def test_a_lock_is_free_after_an_error_and_its_file_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), file_lock(tmp_path / "lock"):
        raise ValueError("mine")
    with file_lock(tmp_path / "lock", on_wait=lambda: pytest.fail("nobody holds it")):
        assert (tmp_path / "lock").is_file()


def test_a_process_that_is_killed_frees_its_lock(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        waited: list[bool] = []

        def kill() -> None:
            waited.append(True)
            holder.kill()

        with file_lock(tmp_path / "lock", on_wait=kill):
            assert waited == [True]
    finally:
        holder.kill()
        holder.wait(PATIENCE_S)
        if holder.stdout is not None:
            holder.stdout.close()
