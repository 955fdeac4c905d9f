from __future__ import annotations

import pytest

from depthrt import InputError
from depthrt.export.adopt.options import Options, check_options, claim_of_options

MEAN, STD = (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)


def test_options_that_fit_together_pass() -> None:
    check_options(Options())
    check_options(Options(kind="metric", max_depth_m=20.0, size=(518, 686), mean=MEAN, std=STD))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(kind="upside-down"), r"--kind upside-down found, expected one of inverse, metric"),  # type: ignore[arg-type]
        (Options(kind="inverse", max_depth_m=20.0), r"--max-depth found with --kind inverse; it is for --kind metric"),
        (Options(kind="metric", max_depth_m=-1.0), r"--max-depth -1 found, expected metres above 0"),
        (Options(kind="metric", max_depth_m=float("nan")), r"--max-depth nan found"),
        (Options(mean=MEAN), r"--mean found without --std; give both, of RGB in \[0, 1\]"),
        (Options(std=STD), r"--std found without --mean"),
        (
            Options(mean=(123.7, 116.3, 103.5), std=STD),
            r"--mean 123\.7,116\.3,103\.5 found, expected numbers from 0 to 1",
        ),
        (Options(mean=MEAN, std=(0.2, 0.0, 0.2)), r"--std 0\.2,0,0\.2 found, expected numbers from 0\.0001 to 10"),
        (Options(size=0), r"--size 0 found, expected 1 px or more"),
        (Options(size=(0, 14)), r"--size \(0, 14\) found, expected 1 px or more"),
    ],
)
def test_options_that_do_not_are_refused(options: Options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_options(options)


def test_like_names_a_family_or_a_published_model() -> None:
    family, encoder = claim_of_options(Options(like="depth-anything-v2"))
    assert (family.family, family.kind, encoder) == ("depth-anything-v2", None, None)
    model, encoder = claim_of_options(Options(like="depth-anything-v2-vits-metric-20m"))
    assert (model.family, model.kind, model.max_depth_m, encoder) == ("depth-anything-v2", "metric", 20.0, "vits")
    other, _ = claim_of_options(Options(like="depth-anything-v2-vits-metric-20m", kind="inverse"))
    assert (other.kind, other.max_depth_m) == ("inverse", None)
    with pytest.raises(InputError, match=r"'depth-anything-v7' is no model of the catalog; did you mean"):
        claim_of_options(Options(like="depth-anything-v7"))
