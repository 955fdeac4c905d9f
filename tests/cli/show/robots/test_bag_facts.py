"""`depthrt info` of a bag: a line for each fact and each topic, or one JSON object."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made import CONTRACT
from made_bag_record import RECORD

from depthrt.cli.show.robots.bag_facts import show_bag
from depthrt.robots.describe import BagFacts, Origin
from depthrt.robots.messages.types import Image, definition
from depthrt.robots.reading.bag import Topic

TOPICS = (
    Topic("/a/depth/image_rect", "sensor_msgs/msg/Image", definition(Image), (), 31),
    Topic("/b", "std_msgs/msg/String", definition(Image), (), 0),
)
PLAIN = BagFacts(Path("drive"), TOPICS, (1_700_000_000_123_000_000, 1_700_000_001_123_000_000), None, None)
OWN = replace(PLAIN, origin=Origin(replace(RECORD, finished=True), CONTRACT, None))


def test_each_topic_is_a_line_with_its_count_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    show_bag(PLAIN, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "drive",
        "  time         2023-11-14 22:13:20.123 UTC, 1.0 s",
        "  messages     31 on 2 topics",
        "    31   30.0 Hz  /a/depth/image_rect  sensor_msgs/msg/Image",
        "     0         -  /b                   std_msgs/msg/String",
    ]


@pytest.mark.parametrize(("count", "words"), [(0, "0 on 0 topics"), (1, "31 on 1 topic"), (2, "31 on 2 topics")])
def test_a_single_topic_is_not_several(count: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_bag(replace(PLAIN, topics=TOPICS[:count]), as_json=False)
    assert f"  messages     {words}\n" in capsys.readouterr().out


def test_a_bag_of_depthrt_has_its_contract_and_drift(capsys: pytest.CaptureFixture[str]) -> None:
    show_bag(OWN, as_json=False)
    shown = capsys.readouterr().out
    assert "  depth of     /front/image_raw in drive/, by depthrt 0.1.0\n" in shown
    assert "  drift        1e-06 of the range" in shown and "3 images with depth, 0 failed; finished\n" in shown
    assert "  licence " in shown and "  model " in shown


def test_what_is_not_whole_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    record = replace(RECORD, no_floor=2, flaw="cut at byte 9")
    facts = replace(PLAIN, flaw="it is cut", times_ns=None, origin=Origin(record, CONTRACT, "kept"))
    show_bag(facts, as_json=False)
    shown = capsys.readouterr().out
    assert "  time         no messages\n" in shown and "  flaw         it is cut\n" in shown
    assert "2 without a floor, so without points; not finished, --resume continues" in shown
    assert "  source's flaw cut at byte 9\n" in shown and "  gate         kept (first image)\n" in shown


def test_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    show_bag(PLAIN, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["topics"][0] == {"name": "/a/depth/image_rect", "type": "sensor_msgs/msg/Image", "messages": 31}
    assert (found["file"], found["messages"], found["depthrt"], found["flaw"]) == ("bag", 31, None, None)
    show_bag(OWN, as_json=True)
    origin = json.loads(capsys.readouterr().out)["depthrt"]
    assert origin["contract"]["family"] == CONTRACT.family and origin["record"]["made"]["depth_topic"]
