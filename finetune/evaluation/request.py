"""What an evaluation is of: models, a data set, rules; and the subjects that its models are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from ...bench.accuracy.judge import RuleChoices
from ...bench.datasets.ground_truth import GroundTruth, open_ground_truth
from ...bench.datasets.manifest import Split
from ...bench.datasets.true_depth import MM_PER_M
from ...bench.subjects.checkpoint_options import CheckpointOptions
from ...bench.subjects.find_subjects import check_checkpoint, find_subjects, is_checkpoint
from ...bench.subjects.subject import Subject
from ...engine.errors import InputError
from ...engine.images.limits import DEFAULT_LIMITS, Limits
from ...engine.modelfile.shipped import model_path
from ...engine.system.files import check_reachable
from ...engine.terms import Alignment, Crop, Family, HardwareDevice, Kind


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """One evaluation.

    Args:
        models: Model files and checkpoints.
        data: As open_ground_truth takes it.
        against: The starting network, for drift and changes; None for none.
        baselines: Whether a constant and a vertical gradient are judged too.
        split: "train", "val" or "test" of a manifest; None takes all.
        count: Images taken, evenly spread; None takes all.
        alignment, cap_m, crop: As in RuleChoices.
        units_per_m, limits: As in open_ground_truth.
        device: That models run on; an engine file runs on "cuda".
        threads: On the CPU; None takes the cores that this process may use.
        size, family, kind, max_depth_m: Of checkpoints, as in CheckpointOptions.
        seed: Of the intervals.
        examples: Whether pictures of good and bad examples are drawn.
    """

    models: Sequence[str | Path]
    data: str | Path
    against: str | Path | None = None
    baselines: bool = False
    split: Split | None = None
    count: int | None = None
    alignment: Alignment | None = None
    cap_m: float | None = None
    crop: Crop = "none"
    units_per_m: float = MM_PER_M
    limits: Limits = DEFAULT_LIMITS
    device: HardwareDevice = "cpu"
    threads: int | None = None
    size: int | tuple[int, int] | None = None
    family: Family | None = None
    kind: Kind | None = None
    max_depth_m: float | None = None
    seed: int = 0
    examples: bool = True

    def rules(self) -> RuleChoices:
        """Return the rules of the nine metrics; errors as RuleChoices."""
        return RuleChoices(self.alignment, self.cap_m, self.crop)

    def settings(self) -> dict[str, str]:
        """Return what a reader must know to make the figures again."""
        custom = "the data set's custom"
        return {
            "data": str(self.data),
            "split": self.split or "all",
            "images": "all" if self.count is None else f"{self.count} at most",
            "alignment": self.alignment or custom,
            "cap": custom if self.cap_m is None else f"{self.cap_m:g} m",
            "crop": self.crop,
            "device": self.device,
            "seed": str(self.seed),
        }


def open_data(request: EvaluateRequest) -> GroundTruth:
    """Open the data set of a request, without the images that it does not take.

    Raises:
        InputError, BackendUnavailable: As open_ground_truth; or no image is of the split.
    """
    data = open_ground_truth(request.data, units_per_m=request.units_per_m, limits=request.limits)
    if request.split is not None:
        pairs = tuple(pair for pair in data.pairs if pair.split == request.split)
        if not pairs:
            splits = sorted({pair.split for pair in data.pairs if pair.split})
            raise InputError(
                f"no image of {data.name} is of split {request.split!r}, expected one of {', '.join(splits)}"
                if splits
                else f"split {request.split!r} found, and {data.name} has no splits; leave it out, or give a manifest"
            )
        data = replace(data, pairs=pairs)
    return data.spread(request.count) if request.count is not None else data


def find_models(request: EvaluateRequest) -> tuple[list[Subject], str]:
    """Return the subjects of a request, the starting network first unless it is among the models, and its name.

    A model file gives its first subject on the device: the way that it runs untuned.

    Raises:
        InputError: A file is missing, the starting network is the only model, or the options do not suit a checkpoint.
    """
    files = [*dict.fromkeys(map(Path, request.models))]
    start = None if request.against is None else Path(request.against)
    if start is not None and start not in files:
        files.insert(0, start)
    elif files == [start]:
        raise InputError(f"{start} is the starting network and the only model; give the models to judge against it")
    options = CheckpointOptions(request.size, request.family, request.kind, request.max_depth_m)
    for file in files:
        check_reachable(file)
        if not model_path(file).exists():
            raise InputError(f"{file} does not exist, expected a model file or a checkpoint; check the path")
        if is_checkpoint(file):
            check_checkpoint(file, options)
    names = _short_names(files)
    subjects = []
    for file in files:
        found = find_subjects(
            [file], devices=[request.device], threads=request.threads, checkpoint=options, compiled=False
        )
        subjects.append(replace(found[0], name=names[file]))
    return subjects, "" if start is None else names[start]


def _short_names(files: Sequence[Path]) -> dict[Path, str]:
    """Return the last parts of each path, as many as tell them apart."""
    names = {}
    for file in files:
        twins = [other for other in files if other.name == file.name]
        parts = next(parts for parts in count(1) if len({other.parts[-parts:] for other in twins}) == len(twins))
        names[file] = Path(*file.parts[-parts:]).as_posix()
    return names
