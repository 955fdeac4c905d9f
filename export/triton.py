"""A model file in, a model repository of NVIDIA's Triton Inference Server out: NAME/config.pbtxt, NAME/1/model.onnx.

Source: triton-inference-server/server, docs/user_guide/model_repository.md and model_configuration.md
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from ..engine.errors import InputError
from ..engine.modelfile.contract import Contract
from ..engine.system.files import atomic_path, make_folder, remove_unfinished, try_place
from ..engine.terms import INPUT, MEANINGS, Precision
from .onnx_file.weights_beside import remove_orphans, weights_of

CONFIG, CONTRACT, README = "config.pbtxt", "contract.json", "README.md"
MOST_BATCH = 8  # images that Triton may run at once; a user may set another number
DELAY_US = 500  # that an image may wait for others
_VERSION, _FILE = "1", "model.onnx"


def check_repository(folder: Path, model: Path, precision: Precision) -> None:
    """Check before the work of an export that its repository can be written.

    Raises:
        InputError: ONNX Runtime, which Triton runs the file with, lacks the precision; or the folder cannot be written.
    """
    if precision == "bf16":
        raise InputError(
            "--precision bf16 is for TensorRT, and the repository is for Triton's ONNX Runtime; "
            "leave out --triton, or give another precision"
        )
    if not folder.parent.is_dir():
        raise InputError(f"{folder.parent} does not exist; create it first")
    if folder.is_dir():
        try_place(folder / f"{model_name(model)}.tmp")
    elif folder.exists():
        raise InputError(f"{folder} is a file, expected a folder for Triton's models; give another place")


def model_name(model: Path) -> str:
    """Return the name under which Triton serves a file: its own, without the suffix and with - for odd characters."""
    return re.sub("[^A-Za-z0-9._-]+", "-", model.stem).strip("-.") or "model"


def write_repository(folder: Path, model: Path, contract: Contract) -> Path:
    """Write a repository of one model, or replace the files of that model in one; return the model's folder.

    The configuration is written last, so that a server that watches the folder finds the whole model.

    Args:
        folder: Of the repository; its parent must exist.
        model: The ONNX file; weights beside it are copied too.
        contract: Of the file.

    Raises:
        InputError: The disk refuses.
    """
    name = model_name(model)
    target = folder / name
    version = target / _VERSION
    make_folder(version)
    orphans = weights_of(version / _FILE)
    for weights in weights_of(model):
        _copy(weights, version / weights.name)
    _copy(model, version / _FILE)
    remove_orphans(orphans)
    texts = {CONTRACT: json.dumps(json.loads(contract.to_json()), indent=1), README: readme(contract, name)}
    for file, text in {**texts, CONFIG: config(contract, name)}.items():
        with atomic_path(target / file) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    return target


def config(contract: Contract, name: str) -> str:
    """Return the configuration of a model as the text of the protobuf message ModelConfig."""
    batched = contract.batch is None
    sides = contract.size.base_px if contract.size.static else (-1, -1)
    before = () if batched else (contract.batch,)  # a graph of a fixed batch has it among its own dimensions
    lines = [
        f"name: {_text(name)}",
        'backend: "onnxruntime"',
        f"max_batch_size: {MOST_BATCH if batched else 0}",
        _tensor("input", INPUT, (*before, 3, *sides)),
        *(_tensor("output", output, (*before, *sides)) for output in contract.outputs),
        "instance_group [ { count: 1 kind: KIND_AUTO } ]",
    ]
    if batched:
        lines.append(f"dynamic_batching {{ max_queue_delay_microseconds: {DELAY_US} }}")
    lines += [
        f"parameters {{ key: {_text(f'depthrt.{key}')} value {{ string_value: {_text(value)} }} }}"
        for key, value in _parameters(contract).items()
    ]
    return "\n".join(lines)


def readme(contract: Contract, name: str) -> str:
    """Return what a user of the repository must know, with a client that runs as it stands."""
    meaning = MEANINGS[contract.kind]
    size = "x".join(map(str, contract.size.base_px)) if contract.size.static else "h x w"
    batch = "N" if contract.batch is None else contract.batch
    outputs = ", ".join(f"`{output}`" for output in contract.outputs)
    together = (
        f"Up to {MOST_BATCH} images of one size run together; Triton makes no batch of images of different sizes."
        if contract.batch is None
        else f"The graph takes {contract.batch} image(s) at once, so Triton makes no batches."
    )
    return _README.format(
        name=name,
        model=contract.model,
        licence=contract.licence,
        producer=contract.producer,
        precision=contract.precision,
        batch=batch,
        size=size,
        outputs=outputs,
        multiple=contract.size.multiple_px,
        meaning=f"{meaning.name}{f' in {meaning.unit}' if meaning.unit else ', without a unit'}",
        focal=_FOCAL.format(contract.focal_unit_px) if contract.focal_unit_px else "",
        together=together,
        sky=_SKY if contract.sky_from is not None else "",
    )


def _parameters(contract: Contract) -> Mapping[str, str]:
    focal = {} if contract.focal_unit_px is None else {"focal_unit_px": f"{contract.focal_unit_px:g}"}
    return {
        **focal,
        "model": contract.model,
        "kind": contract.kind,
        "unit": contract.unit or "none",
        "precision": contract.precision,
        "licence": contract.licence,
        "source_sha256": contract.source_sha256,
    }


def _tensor(word: str, name: str, dims: tuple[int | None, ...]) -> str:
    return f"{word} [ {{ name: {_text(name)} data_type: TYPE_FP32 dims: [ {', '.join(map(str, dims))} ] }} ]"


def _text(value: str) -> str:
    """Return a string of protobuf's text format; other characters than ASCII stand as UTF-8 bytes."""
    return (
        '"'
        + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in value.encode())
        + '"'
    )


def _copy(source: Path, target: Path) -> None:
    remove_unfinished(target)
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


_FOCAL = " for a camera with a focal length of {:g} px of the input; for others give `infer` its `focal_px`"
_SKY = """
    def run_with_sky(self, batch):
        found = self._ask(batch)
        return found.as_numpy("depth"), found.as_numpy("sky")
"""
_README = """\
# {name}

{model} as a model of Triton's `onnxruntime` backend. Licence of the weights: {licence}. Written by {producer}.

    tritonserver --model-repository=FOLDER_ABOVE_THIS_ONE

The model takes and gives tensors, not pictures: `image`, FP32 [{batch}, 3, {size}], and gives {outputs}, FP32 at the
same size; the values are {meaning}{focal}.

{together}

What is between a photograph and the tensor is in `contract.json`, and the accuracy depends on it: the size rule (both
sides multiples of {multiple} px), the resize, mean and deviation of RGB in [0, 1], and the way back to the size of the
photograph. depthrt does it as the checkpoint's publisher does, without torch:
`pip install depthrt 'tritonclient[http]'`.

```python
from pathlib import Path

import depthrt
import tritonclient.http as http
from depthrt.engine.modelfile.contract import Contract


class OnTriton:
    name, provider, precision, notes = "triton", "onnxruntime", "{precision}", ()

    def __init__(self, address):
        self._client = http.InferenceServerClient(address)

    def _ask(self, batch):
        tensor = http.InferInput("image", batch.shape, "FP32")
        tensor.set_data_from_numpy(batch)
        return self._client.infer("{name}", [tensor])

    def run(self, batch):
        return self._ask(batch).as_numpy("depth")
{sky}
    def close(self):
        self._client.close()


contract = Contract.from_json(Path("contract.json").read_text())
with depthrt.DepthModel(OnTriton("127.0.0.1:8000"), contract, limits=depthrt.Limits()) as model:
    model.infer(depthrt.read_image("photo.jpg")).save("depth.npy")
```

For clients that send pictures, `depthrt serve` talks the same protocol and takes encoded images.
"""
