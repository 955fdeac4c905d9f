"""What stands between the stages of an inference."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt import InputError
from depthrt.engine.depth.provenance import Timings
from depthrt.engine.images.preprocess import Fit
from depthrt.engine.model.stages import Prepared, alike, answer_whole, find_image_there

SMALL, LARGE = (126, 126), (252, 126)


def prepared(input_px: tuple[int, int], image_px: tuple[int, int], *, whole: bool = False) -> Prepared:
    image = np.zeros((*image_px, 3), np.uint8) if whole else None
    return Prepared(np.zeros((1, 3, *input_px), np.float32), Fit(input_px, input_px), image_px, 1.0, image)


def test_inputs_of_one_size_run_together_whatever_their_images() -> None:
    group = [prepared(LARGE, (9, 9)), prepared(SMALL, (5, 5)), prepared(LARGE, (8, 8)), prepared(SMALL, (5, 5))]
    assert list(alike(group)) == [[1, 3], [0, 2]]
    assert list(alike([])) == []


def test_images_that_a_device_resizes_run_together_only_if_they_have_one_size() -> None:
    sizes = [(LARGE, (9, 9)), (SMALL, (5, 5)), (LARGE, (8, 8)), (SMALL, (6, 6)), (LARGE, (9, 9))]
    groups = list(alike([prepared(*size, whole=True) for size in sizes]))
    assert groups == [[1], [3], [2], [0, 4]]
    inputs = [sizes[group[0]][0] for group in groups]
    assert inputs == sorted(inputs)  # those of one input size come one after the other


def test_an_input_is_made_once_it_is_needed() -> None:
    made: list[int] = []

    def make() -> np.ndarray:
        made.append(1)
        return np.ones((1, 3, *SMALL), np.float32)

    lazy = Prepared(make, Fit(SMALL, SMALL), (9, 9), 1.0)
    assert not made
    assert lazy.batch.shape == (1, 3, *SMALL) and made == [1]
    with pytest.raises(AssertionError, match="the GPU resizes an image that it holds"):
        _ = Prepared(None, Fit(SMALL, SMALL), (9, 9), 1.0).batch


def test_the_answer_of_a_device_has_its_depth_and_its_times() -> None:
    class Found:
        values, timings = np.ones((9, 9), np.float32), Timings(1.0, 2.0, 3.0)

    ready = prepared(SMALL, (9, 9), whole=True)
    answer = answer_whole(ready, Found())  # type: ignore[arg-type]
    assert (answer.prepared, answer.run_ms, answer.device) == (ready, 2.0, Found.timings)
    assert answer.output is Found.values


class OnGpu:
    """An array on a GPU, as far as its interface tells."""

    @property
    def __cuda_array_interface__(self) -> dict[str, object]:
        return {"shape": (4, 4, 3), "typestr": "|u1", "data": (4096, True), "version": 3}


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([[1, 2], [3, 4]], "image: list found, expected a numpy array"),
        (None, "image: NoneType found, expected a numpy array"),
        (OnGpu(), "image: OnGpu on a GPU found, and this model resizes on the CPU; copy it to the host"),
    ],
)
def test_an_image_that_the_model_cannot_take_is_refused(image: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_image_there(image, None)
