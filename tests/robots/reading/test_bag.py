"""Topics of one name become one topic."""

from __future__ import annotations

from dataclasses import replace

from made_bags import QOS

from depthrt.robots.messages.types import Definition
from depthrt.robots.reading.bag import Topic, merged

TOPIC = Topic("/a", "std_msgs/msg/String", Definition("", "", ""), (QOS,), 3)


def test_publishers_of_a_topic_count_together_and_keep_their_profiles() -> None:
    other = replace(TOPIC, qos=(QOS._replace(depth=9),), messages=4, definition=Definition("ros2msg", "string data"))
    (found,) = merged([TOPIC, other, TOPIC]).values()
    assert found.messages == 10 and found.qos == (QOS, QOS._replace(depth=9))
    assert found.definition.text == "string data"


def test_topics_of_other_names_stay_apart() -> None:
    assert list(merged([TOPIC, replace(TOPIC, name="/b")])) == ["/a", "/b"]
