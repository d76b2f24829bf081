"""The main job on the embedded default: LeNet on the UCI digits, by the commands that a user would type."""

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from google.protobuf import text_format
from PIL import Image
from rich.console import Console
from rich.table import Table

from caffe.proto.caffe_pb2 import SolverParameter

from .convert import convert
from .errors import Error
from .hardware import presets
from .model import read_model, write_model

_ROOT = Path(__file__).resolve().parents[2]
_MODEL = _ROOT / "models" / "lenet_digits"
_BATCH = 50


@dataclass(frozen=True)
class Digits:
    """The UCI digits: images (N, 8, 8) with values 0 to 16, their labels, and which of them are for testing."""

    images: np.ndarray
    labels: np.ndarray
    test: np.ndarray

    @property
    def train(self) -> np.ndarray:
        """The other images, in a mixed order that never changes: batches hold all digits."""
        others = np.setdiff1d(np.arange(len(self.labels)), self.test)
        return np.random.default_rng(1).permutation(others)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads digits.npz."""
        with np.load(path) as file:
            return cls(file["images"], file["labels"], file["test"])


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Values 0 to 16 as the bytes of an image, 0 to 255."""
    return np.minimum(images.astype(np.int32) * 16, 255).astype(np.uint8)


def run_demo(out: Path, build: Path | None, console: Console) -> dict[str, Any]:
    """Trains, tests plain, converts to every preset, tests again; prints and returns the accuracies."""
    start = time.perf_counter()
    binaries = find_binaries(build)
    digits = Digits.load(_MODEL / "digits.npz")
    iterations = len(digits.test) // _BATCH

    model, weights = train(out, binaries, console)
    console.print(f"caffe test: {model}")
    plain = _caffe_test(binaries / "caffe", model, weights, iterations)
    rows = [{"hardware": "plain", "accuracy": plain, "model": str(model), "weights": str(weights)}]
    for preset in sorted(presets(), key=lambda name: name != "ideal"):  # the ideal chip first, then by name
        out_model, out_weights = out / f"{preset}.prototxt", out / f"{preset}.caffemodel"
        console.print(f"rxnn convert, caffe test: {out_model}")
        convert(model, weights, preset, out_model, out_weights)
        accuracy = _caffe_test(binaries / "caffe", out_model, out_weights, iterations)
        rows.append({"hardware": preset, "accuracy": accuracy, "model": str(out_model), "weights": str(out_weights)})

    console.print(_table(rows, len(digits.test)))
    console.print(
        f"All files are in {out.resolve()}; {time.perf_counter() - start:.1f} s. Look closer with, for example:"
    )
    options = f"--hardware rram_64x64 --iterations {iterations} --explain"
    files = f"--model {shlex.quote(str(model))} --weights {shlex.quote(str(weights))}"
    # No markup: a name may hold square brackets.
    console.print(f"  rxnn evaluate {files} {options}", soft_wrap=True, highlight=False, markup=False)
    return {"images": len(digits.test), "results": rows}


def find_binaries(build: Path | None = None) -> Path:
    """The folder of the built programs."""
    binaries = (build or _ROOT / "build") / "bin"
    for name in ("caffe", "convert_imageset"):
        if not (binaries / name).is_file():
            raise Error(f"{binaries / name} is not there: run `make build`, or give --build FOLDER")
    return binaries


def train(out: Path, binaries: Path, console: Console) -> tuple[Path, Path]:
    """Makes the databases of the digits in `out` and trains LeNet on them; the network and its weights."""
    out.mkdir(parents=True, exist_ok=True)
    digits = Digits.load(_MODEL / "digits.npz")
    console.print(f"Writing {len(digits.labels)} images of handwritten digits to {out}/images")
    _write_images(digits, out)
    for part in ("train", "test"):
        console.print(f"convert_imageset: {out}/{part}_lmdb")
        _make_database(binaries / "convert_imageset", out, part)
    model, solver = out / "lenet_digits.prototxt", out / "solver.prototxt"
    _write_model(model, out)
    param = SolverParameter()
    text_format.Parse((_MODEL / "solver.prototxt").read_text(encoding="utf-8"), param)
    param.net = str(model)
    param.snapshot_prefix = str(out / "lenet_digits")
    solver.write_text(text_format.MessageToString(param), encoding="utf-8")
    console.print(f"caffe train: {solver}")
    # A network this small is fastest on one thread, and comes out the same wherever it is trained.
    _run([str(binaries / "caffe"), "train", f"--solver={solver}"], OMP_NUM_THREADS="1")
    snapshot = out / f"lenet_digits_iter_{param.max_iter}"
    weights = out / "lenet_digits.caffemodel"
    snapshot.with_suffix(".caffemodel").replace(weights)
    snapshot.with_suffix(".solverstate").unlink()
    return model, weights


def _write_images(digits: Digits, out: Path) -> None:
    folder = out / "images"
    folder.mkdir(exist_ok=True)
    for part, indices in (("train", digits.train), ("test", digits.test)):
        lines = []
        for index in indices:
            name = f"{index:04d}.png"
            Image.fromarray(as_bytes(digits.images[index])).save(folder / name)
            lines.append(f"{name} {digits.labels[index]}\n")
        (out / f"{part}.txt").write_text("".join(lines), encoding="utf-8")


def _make_database(convert_imageset: Path, out: Path, part: str) -> None:
    database = out / f"{part}_lmdb"
    if database.is_dir():  # of an earlier run: convert_imageset never overwrites
        shutil.rmtree(database)
    _run([str(convert_imageset), "--gray", f"{out / 'images'}/", str(out / f"{part}.txt"), str(database)])


def _write_model(path: Path, out: Path) -> None:
    net = read_model(_MODEL / "train_test.prototxt")
    for layer in net.layer:
        if layer.type == "Data":
            layer.data_param.source = str(out / Path(layer.data_param.source).name)
    write_model(net, path)


def _caffe_test(caffe: Path, model: Path, weights: Path, iterations: int) -> float:
    log = _run([str(caffe), "test", f"--model={model}", f"--weights={weights}", f"--iterations={iterations}"])
    means = re.findall(r"\] accuracy = (\S+)", log)  # the lines of single batches say "Batch i, accuracy"
    if not means:
        raise Error(f"caffe test of {model} printed no accuracy")
    return float(means[-1])


def _run(command: Sequence[str], **variables: str) -> str:
    environment = {**os.environ, "GLOG_logtostderr": "1", "GLOG_minloglevel": "0", **variables}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise Error(f"{shlex.join(command)} failed: {last[0]}")
    return done.stderr


def _table(rows: Sequence[dict[str, Any]], images: int) -> Table:
    table = Table(title=f"LeNet on {images} handwritten digits")
    for heading in ("hardware", "accuracy", "drop", "model", "weights"):
        table.add_column(heading, justify="right" if heading in ("accuracy", "drop") else "left")
    for row in rows:
        drop = "" if row is rows[0] else f"{rows[0]['accuracy'] - row['accuracy']:.4f}"
        table.add_row(row["hardware"], f"{row['accuracy']:.4f}", drop, row["model"], row["weights"])
    return table
