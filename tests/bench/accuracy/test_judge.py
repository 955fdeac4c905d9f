"""Subjects judged on a data set, by its custom or by rules of the user."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_subjects import (
    dataset,
    fails_at,
    opened,
    slope,
    truth,
)

from depthrt.bench.accuracy.accuracy_meter import Rules
from depthrt.bench.accuracy.judge import RuleChoices, judge
from depthrt.engine.errors import InputError


def test_a_subject_that_fails_on_a_data_set_leaves_and_the_others_go_on() -> None:
    judgement = judge([opened("bad", fails_at(2)), opened("good", slope())], dataset(truth(2.0), truth(4.0)))
    assert judgement.failures == {"bad": "RuntimeError: the device is gone"}
    assert list(judgement.found) == ["good"] and len(judgement.found["good"].images) == 2


@pytest.mark.parametrize(
    ("asked", "metric", "inverse"),
    [
        (RuleChoices(), Rules("none", 10.0), Rules("scale-and-shift", 10.0)),
        (RuleChoices(crop="eigen"), Rules("none", 10.0, "eigen"), Rules("scale-and-shift", 10.0, "eigen")),
        (RuleChoices(cap_m=5.0), Rules("none", 5.0), Rules("scale-and-shift", 5.0)),
        (RuleChoices("scale"), Rules("scale", 10.0), Rules("scale", 10.0)),
    ],
)
def test_what_is_not_asked_for_stays_the_data_set_s_custom(asked: RuleChoices, metric: Rules, inverse: Rules) -> None:
    subjects = [opened("metric", slope(), "metric"), opened("inverse", slope())]
    found = judge(subjects, dataset(truth(2.0)), asked).found
    rules = {name: Rules(one.alignment, one.cap_m, one.crop) for name, one in found.items()}
    assert rules == {"metric": metric, "inverse": inverse}


def test_depth_without_a_unit_has_no_cap_and_is_aligned() -> None:
    unitless = replace(dataset(truth(2.0)), cap_m=None)
    assert [RuleChoices(crop="garg").rules(kind, unitless) for kind in ("metric", "inverse")] == [
        Rules("scale-and-shift", None, "garg")
    ] * 2


def test_a_cap_that_judges_nothing_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"a cap of 0\.0005 m found"):
        RuleChoices(cap_m=0.0005)


def test_rules_that_suit_one_subject_alone_cost_the_other_its_accuracy_and_no_more() -> None:
    subjects = [opened("metric", slope(), "metric"), opened("inverse", slope())]
    found = judge(subjects, dataset(truth(2.0)), RuleChoices("none"))
    assert list(found.found) == ["metric"] and not found.failures
    assert found.notes["inverse"][0].startswith("no accuracy on made: the model gives inverse depth without a unit")
