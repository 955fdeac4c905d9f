"""The types of the verbs' options: what they take, and how they refuse the rest."""

from __future__ import annotations

import math
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from depthrt.cli import main
from depthrt.cli.params import BatchType, PixelsType, RoundsType, ShareType, SizeType, model_option, together
from depthrt.engine.modelfile.shipped import DEFAULT
from depthrt.engine.modelfile.shipped import model_path as shipped_path


def given(kind: ShareType, value: str) -> Result:
    """Return what a verb with `--share` of this type prints of a value."""

    @click.command()
    @click.option("--share", type=kind)
    def verb(share: float) -> None:
        click.echo(repr(share))

    return CliRunner().invoke(verb, ["--share", value])


@pytest.mark.parametrize(
    ("value", "share"), [("0.5%", 0.005), (" 1 % ", 0.01), (".5%", 0.005), ("99.9%", 0.999), ("0%", 0.0), ("0", 0.0)]
)
def test_a_percentage_is_a_share(value: str, share: float) -> None:
    found = given(ShareType(), value)
    assert (found.exit_code, found.stderr) == (0, "")
    assert float(found.stdout) == pytest.approx(share)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (ShareType(), "0.5", "'0.5' found, expected a percentage with its sign, such as 0.5%"),
        (ShareType(), "half", "'half' found, expected a percentage from 0% to below 100%, such as 0.5%"),
        (ShareType(), "-1%", "expected a percentage from 0% to below 100%"),
        (ShareType(), "100%", "expected a percentage from 0% to below 100%"),
        (ShareType(), "1e-3%", "expected a percentage"),
        (ShareType(), "nan%", "expected a percentage"),
        (ShareType(zero=False), "0%", "'0%' found, expected a percentage above 0% to below 100%"),
        (ShareType(bare=True, zero=False), "0", "'0' found, expected a percentage above 0% to below 100%"),
        (ShareType(bare=True), "100", "expected a percentage from 0% to below 100%"),
        (ShareType(below=math.inf), "-1%", "expected a percentage from 0%, such as 0.5%"),
    ],
)
def test_what_is_no_percentage_is_wrong_usage(kind: ShareType, value: str, message: str) -> None:
    found = given(kind, value)
    assert found.exit_code == 2 and message in " ".join(found.stderr.replace("│", " ").split())


def test_the_old_spelling_of_a_percentage_is_taken_with_one_note() -> None:
    found = given(ShareType(bare=True), "1.5")
    assert float(found.stdout) == pytest.approx(0.015)
    assert found.stderr == "note: --share 1.5 is read as 1.5%; write 1.5%\n"


def test_a_share_without_an_upper_end_takes_more_than_the_whole() -> None:
    assert float(given(ShareType(below=math.inf), "150%").stdout) == pytest.approx(1.5)


@pytest.mark.parametrize("kind", [SizeType(), PixelsType(), BatchType(), RoundsType()], ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", ["5²", "٣", "5²x3", "²,²,²"])
def test_digits_that_int_does_not_take_are_wrong_usage(kind: click.ParamType[object], value: str) -> None:
    with pytest.raises(click.UsageError, match="found, expected"):
        kind.convert(value, None, None)


EMPTY = [
    ["run", ""],
    ["run", "photo.jpg", ""],
    ["run", "photo.jpg", "-o", ""],
    ["run", "photo.jpg", "-m", " "],
    ["run", "photo.jpg", "--sheet", ""],
    ["info", ""],
    ["export", "", "-o", "a.onnx"],
    ["export", "a.pth", "-o", ""],
    ["export", "a.pth", "-o", "a.onnx", "--images", ""],
    ["build", "", "-o", "a.engine"],
    ["build", "a.onnx", "-o", ""],
    ["tune", ""],
    ["tune", "a.onnx", "--images", ""],
    ["bench", ""],
    ["bench", "a.onnx", "--images", ""],
    ["bench", "a.onnx", "--ground-truth", ""],
    ["bench", "a.onnx", "--reference", ""],
    ["bench", "a.onnx", "-o", ""],
    ["bench", "compare", "", "a.json"],
    ["bench", "bisect", "a.onnx", ""],
    ["finetune", "scenes", "-n", "1", "-o", ""],
    ["finetune", "default", "-o", ""],
]


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_an_empty_name_is_refused_by_every_verb(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 2 and "found, which names no file; give a path" in found.stderr
    assert not [*tmp_path.iterdir()]


def test_options_that_are_joined_are_listed_in_their_order() -> None:
    @click.command()
    @together(click.option("--first"), click.option("--second"))
    @click.option("--third")
    def verb(first: str, second: str, third: str) -> None:
        click.echo(f"{first} {second} {third}")

    found = CliRunner().invoke(verb, ["--third", "c", "--first", "a", "--second", "b"])
    assert found.stdout == "a b c\n"
    assert [option.opts for option in verb.params] == [["--first"], ["--second"], ["--third"]]


@pytest.mark.parametrize(
    ("words", "model"), [([], shipped_path(DEFAULT)), (["-m", "a.onnx"], "a.onnx"), (["--model", "b.onnx"], "b.onnx")]
)
def test_a_verb_takes_a_model_file_or_the_one_that_comes_with_depthrt(words: list[str], model: str | Path) -> None:
    @click.command()
    @model_option
    def verb(model_path: Path) -> None:
        click.echo(model_path)

    assert CliRunner().invoke(verb, words).stdout == f"{model}\n"
