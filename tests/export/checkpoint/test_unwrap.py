"""The weights of one network are found among wrappers, averages and optimizers, or the file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from checkpoint_cases import FAILS_TO_UNWRAP, LOADS, assert_holds, assert_refused, read_tiny
from checkpoint_files import Write, other, prefixed, saved
from official_state import TINY, State, state_of, to_transformers

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.engine.terms import WhichWeights
from depthrt.export.checkpoint.unwrap import NESTING_LIMIT, unwrap

FILE = Path("wild.pth")


@pytest.fixture(scope="module")
def state() -> State:
    return state_of(TINY)


@pytest.mark.parametrize(("write", "fragment"), FAILS_TO_UNWRAP.values(), ids=FAILS_TO_UNWRAP)
def test_a_file_without_one_whole_network_is_refused_in_one_line(
    write: Write, fragment: str, state: State, tmp_path: Path
) -> None:
    assert_refused(write, fragment, state, tmp_path)


@pytest.mark.parametrize(("weights", "raw"), [("auto", True), ("raw", True), ("ema", False)])
def test_the_user_chooses_between_raw_and_averaged_weights(
    weights: WhichWeights, raw: bool, state: State, tmp_path: Path
) -> None:
    path = saved(lambda s: {"model": s, "ema": {"shadow": other(s)}})(tmp_path, state)
    found = read_tiny(path, weights=weights)
    assert_holds(found, state if raw else other(state))
    assert ("The file also holds averaged (EMA) weights; --weights ema takes them." in found.remarks) == raw


@pytest.mark.parametrize(("data", "which"), [({"model": {}}, "ema"), ({"model_ema": {}}, "raw")])
def test_weights_that_are_not_in_the_file_cannot_be_chosen(
    data: dict[str, State], which: WhichWeights, state: State
) -> None:
    (wrapper,) = data
    with pytest.raises(InputError, match=rf"--weights {which}: wild.pth holds no such weights, only {wrapper}\."):
        unwrap({wrapper: state}, FILE, which=which)


def test_an_average_without_raw_weights_is_taken_with_a_remark(state: State, tmp_path: Path) -> None:
    found = read_tiny(LOADS["an average alone"](tmp_path, state))
    assert "They are averaged (EMA) weights, the only ones in the file." in found.remarks


def test_a_pickled_model_beside_weights_is_named_as_not_read(state: State, tmp_path: Path) -> None:
    found = read_tiny(saved(lambda s: {"model": torch.nn.Linear(2, 2), "ema": s, "args": Path("x")})(tmp_path, state))
    assert "model was not read: it is an object of class torch.nn.modules.linear.Linear, which was not run." in (
        found.remarks
    )
    assert not any("args" in remark for remark in found.remarks)


def test_values_in_values_without_end_are_refused(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthrt.export.checkpoint.unwrap.MOST_ENTRIES", 1000)
    level: dict[str, object] = {}
    for _ in range(NESTING_LIMIT):
        level = {str(number): level for number in range(10)}
    with pytest.raises(ModelFileError, match=r"wild\.pth holds more than 1000 values"):
        unwrap({"model": state, "more": level}, FILE)


def test_tensors_that_only_training_uses_are_left_out_with_a_remark(state: State, tmp_path: Path) -> None:
    found = read_tiny(LOADS["a Lightning file"](tmp_path, state))
    assert found.remarks == (
        "The weights stand under state_dict.model. in the file.",
        "Left out, since only training uses it: state_dict.criterion.weight.",
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [("model", "backup"), ("student", "teacher"), ("state_dict", "net"), ("anything", "teacher")],
)
def test_the_more_likely_network_is_taken_and_the_other_is_named(first: str, second: str, state: State) -> None:
    for data in ({first: state, second: other(state)}, {second: other(state), first: state}):
        found = unwrap(data, FILE)
        assert (found.label, found.others) == (f"{first}.", (f"{second}.",))
        assert torch.equal(found.tensors["pretrained.norm.bias"], state["pretrained.norm.bias"])
        assert f"The file also holds {second}., which was not used." in found.remarks


def test_wrappers_are_stripped_anywhere_in_a_name_and_kept_in_the_label(state: State) -> None:
    wrapped = {name.replace("blocks.1.", "blocks.1._orig_mod."): t for name, t in prefixed(state, "module.").items()}
    found = unwrap({"model": wrapped}, FILE)
    assert found.label == "model.module." and not found.average
    assert found.tensors.keys() == state.keys()


def test_names_of_transformers_are_kept_as_they_are(state: State) -> None:
    theirs = to_transformers(state)
    assert unwrap(prefixed(theirs, "net."), FILE).tensors.keys() == theirs.keys()


def test_the_state_of_an_optimizer_is_not_taken_for_weights(state: State) -> None:
    found = unwrap({"model": state, "optimizer": {"state": prefixed(state, "exp_avg.")}}, FILE)
    assert found.others == () and found.remarks == ("The weights stand under model. in the file.",)


@pytest.mark.parametrize("depth", [NESTING_LIMIT, NESTING_LIMIT + 1])
def test_weights_are_found_down_to_a_limit_of_nesting(depth: int, state: State) -> None:
    data: object = state
    for _ in range(depth):
        data = {"level": data}
    if depth <= NESTING_LIMIT:
        assert unwrap(data, FILE).label == "level." * depth
    else:
        with pytest.raises(ModelFileError, match=r"wild.pth holds no weights: only level;"):
            unwrap(data, FILE)


def test_an_unknown_choice_of_weights_names_the_choices(state: State) -> None:
    with pytest.raises(InputError, match="--weights best is unknown; choose one of auto, raw, ema"):
        unwrap(state, FILE, which="best")  # type: ignore[arg-type]
