"""Options of a build: sizes that are not given, those that no file takes, and the inputs that an engine takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made import make_contract
from made_engine import SHAPE, STATIC

from depthrt import InputError
from depthrt.engine.images.fit import fit_image
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.system.records import check_record
from depthrt.engine.trt.build_options import DEFAULT, BuildOptions, Profile, choose_profile

DYNAMIC = make_contract()


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        (DEFAULT, ((518, 518), (518, 686), (924, 924))),
        (BuildOptions(opt_px=(518, 686)), ((518, 686), (518, 686), (518, 686))),
        (BuildOptions(max_px=(518, 924)), ((518, 924), (518, 924), (518, 924))),
        (BuildOptions(min_px=(518, 518), max_px=(518, 924)), ((518, 518), (518, 924), (518, 924))),
        (BuildOptions(min_px=(14, 14), opt_px=(28, 28), max_px=(42, 56)), ((14, 14), (28, 28), (42, 56))),
    ],
)
def test_sizes_that_are_not_given_follow_those_that_are(
    options: BuildOptions, profile: tuple[tuple[int, int], ...]
) -> None:
    found = choose_profile(DYNAMIC, replace(options, batch=(1, 2, 8)))
    assert (found.min[2:], found.opt[2:], found.max[2:]) == profile
    assert (found.min[:2], found.opt[:2], found.max[:2]) == ((1, 3), (2, 3), (8, 3))


@pytest.mark.parametrize(
    ("rule", "profile"),
    [
        (SizeRule((518, 518), 14, "lower_bound"), ((518, 518), (518, 686), (924, 924))),
        (SizeRule((384, 384), 32, "minimal"), ((384, 384), (384, 512), (672, 672))),
        (SizeRule((384, 512), 32, "minimal", margin="zoe"), ((384, 512), (384, 512), (896, 672))),
        (SizeRule((256, 256), 32, "upper_bound"), ((128, 128), (192, 256), (256, 256))),
        (SizeRule((504, 504), 14, "longest_nearest"), ((280, 280), (378, 504), (504, 504))),
    ],
)
def test_without_sizes_an_engine_takes_usual_images_by_the_files_rule(
    rule: SizeRule, profile: tuple[tuple[int, int], ...]
) -> None:
    found = choose_profile(make_contract(size=rule), DEFAULT)
    assert (found.min[2:], found.opt[2:], found.max[2:]) == profile
    for image_px in ((480, 640), (960, 1280), (1080, 1920), (1280, 960), (1000, 1000), (2160, 3840)):
        assert found.takes((1, 3, *fit_image(rule, image_px).input_px))


def test_a_static_file_takes_its_own_size_alone() -> None:
    own = replace(DEFAULT, opt_px=STATIC.size.base_px)
    assert choose_profile(STATIC, DEFAULT) == choose_profile(STATIC, own) == Profile(SHAPE, SHAPE, SHAPE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BuildOptions(opt_px=(500, 518)), "size 500x518 found, expected multiples of the network's 14 px; try 504x518"),
        (BuildOptions(min_px=(0, 14)), "size 0x14 found, expected multiples .*; try 14x14"),
        (BuildOptions(min_px=(28, 28), opt_px=(14, 28)), "sizes 28x28, 14x28, 14x28 found, expected min <= opt <= max"),
        (BuildOptions(opt_px=(28, 28), batch=(0, 1, 1)), r"batch \(0, 1, 1\) found, expected 1 <= min <= opt <= max"),
    ],
)
def test_sizes_that_no_dynamic_file_takes_are_refused(options: BuildOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose_profile(DYNAMIC, options)


@pytest.mark.parametrize("options", [BuildOptions(opt_px=(28, 42)), BuildOptions(batch=(1, 1, 4))])
def test_a_static_file_takes_no_other_size_and_the_message_has_the_export(options: BuildOptions) -> None:
    with pytest.raises(InputError, match=r"static, 28x28 .*: depthrt export made\.pth -o model\.onnx --size 28"):
        choose_profile(STATIC, options)


@pytest.mark.parametrize(
    ("shape", "taken"),
    [
        ((1, 3, 28, 28), True),
        ((4, 3, 56, 70), True),
        ((2, 3, 42, 42), True),
        ((5, 3, 28, 28), False),
        ((1, 3, 14, 28), False),
        ((1, 3, 28, 84), False),
        ((1, 4, 28, 28), False),
    ],
)
def test_a_profile_takes_what_is_within_on_every_axis(shape: tuple[int, ...], taken: bool) -> None:
    assert Profile((1, 3, 28, 28), (2, 3, 42, 42), (4, 3, 56, 70)).takes(shape) == taken


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (BuildOptions(batch=(2, 1, 4)), r"options\.batch is \(2, 1, 4\), expected min <= opt <= max"),
        (BuildOptions(min_px=(28, 28), max_px=(56, 14)), r"options\.max_px is 56x14, expected 28x28 or more"),
        (BuildOptions(opt_px=(28, 28), min_px=(42, 28)), r"options\.opt_px is 28x28, expected 42x28 or more"),
        (
            BuildOptions(compute_capabilities=("89",)),
            r"options\.compute_capabilities\[0\] is '89', expected text such",
        ),
        (
            BuildOptions(workspace_mib=1 << 21),
            r"options\.workspace_mib is 2097152, expected a whole number from 1",
        ),
        (replace(DEFAULT, tf32=1), r"options\.tf32 is 1, expected true or false"),  # type: ignore[arg-type]
    ],
)
def test_options_that_no_engine_file_may_hold_are_refused(options: BuildOptions, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}.*; build with others$"):
        check_record(options, name="options", remedy="build with others", failure=InputError)
    check_record(DEFAULT, name="options", remedy="build with others")
