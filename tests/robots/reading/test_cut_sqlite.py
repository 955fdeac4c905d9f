"""An SQLite file that is shorter than it says is read up to the cut."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from made_bags import IMAGE, QOS, cut, many, write_bag

from depthrt.robots.messages.types import encode
from depthrt.robots.reading.bag import Record
from depthrt.robots.reading.cut_sqlite import CutSqlite

MANY = 60


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_what_lies_before_the_cut_is_read(tmp_path: Path, share: float) -> None:
    path = cut(write_bag(tmp_path / "drive", many(), storage="sqlite3") / "drive.db3", share)
    storage = CutSqlite(path)
    found = list(storage.records())
    expected = [Record(one.topic, one.time_ns, bytes(encode(one.message))) for one in many()]
    assert found == expected[: len(found)] and (share - 0.2) * 3 * MANY < len(found) < 3 * MANY
    assert storage.flaw is not None and "drive.db3" in storage.flaw
    topics = {topic.name: topic for topic in storage.topics()}
    assert topics[IMAGE].qos == (QOS,) and topics[IMAGE].definition.format == "ros2msg"


def test_a_whole_file_has_no_flaw_and_is_left_as_it_is(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "drive", storage="sqlite3") / "drive.db3"
    before = path.read_bytes()
    storage = CutSqlite(path)
    assert len(list(storage.records())) == 12 and storage.flaw is None
    assert path.read_bytes() == before and [file.name for file in path.parent.iterdir()].count("drive.db3-journal") == 0


def test_it_is_read_in_another_thread_than_it_is_closed_in(tmp_path: Path) -> None:
    records = CutSqlite(write_bag(tmp_path / "drive", storage="sqlite3") / "drive.db3").records()
    thread = threading.Thread(target=lambda: next(records))
    thread.start()
    thread.join()
    records.close()  # type: ignore[attr-defined]
