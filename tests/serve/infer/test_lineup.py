"""A model is found by its name or its role, or refused; never another one."""

from __future__ import annotations

import pytest

from depthrt.engine.model.focal_length import Lens
from depthrt.serve.infer.lineup import Lineup, ModelFacts, check_focal
from depthrt.serve.refusal import Refusal


def facts(number: int, *, takes_focal: bool = False) -> ModelFacts:
    return ModelFacts("inverse", "inverse", takes_focal, "onnxruntime", {"number": number})


LINEUP = Lineup({"mirror": lambda: facts(1), "b": lambda: facts(2)})


def test_the_first_is_the_default() -> None:
    assert LINEUP.get(None)[0] == "mirror" == LINEUP.of_role("mirror")[0]
    told = LINEUP.describe()
    assert [(one["name"], one["default"], one["number"]) for one in told] == [("mirror", True, 1), ("b", False, 2)]
    assert told[0]["roles"] == ["mirror"] and told[1]["roles"] == []


@pytest.mark.parametrize("wrong", ["d", "", "MIRROR"])
def test_another_name_is_refused(wrong: str) -> None:
    with pytest.raises(Refusal, match="no such model, expected one of mirror, b") as caught:
        LINEUP.get(wrong)
    assert caught.value.status == 422


def test_a_role_without_a_model_is_refused() -> None:
    with pytest.raises(Refusal, match="no model plays indoor-art"):
        LINEUP.of_role("indoor-art")


def test_a_lens_is_refused_by_a_model_that_does_not_use_it() -> None:
    check_focal(Lens(), "m", facts(1))
    check_focal(Lens(focal_px=500), "m", facts(1, takes_focal=True))
    for lens in (Lens(focal_px=500), Lens(fov_deg=60)):
        with pytest.raises(Refusal, match="model m takes no focal length"):
            check_focal(lens, "m", facts(1))
