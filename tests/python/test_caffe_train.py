"""caffe train: what it prints, what it writes, and that a stopped run goes on as if it had not stopped."""

import re
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from caffe.proto.caffe_pb2 import NetParameter, SolverState
from caffe_command import CAFFE, caffe, error, messages, run

# The inputs are 0 and the label is 0; the first biases are what the rest learns from. Dropout draws in every step.
NET = """
name: "tiny"
layer { name: "data" type: "Input" top: "data" top: "label"
        input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1"
        inner_product_param { num_output: 8 weight_filler { type: "xavier" } bias_filler { type: "gaussian" } } }
layer { name: "drop" type: "Dropout" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
        inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "extra" type: "InnerProduct" bottom: "data" top: "extra" include { stage: "extra" }
        inner_product_param { num_output: 1 bias_filler { value: 3 } } }
"""
SOLVER = """
net: "{folder}/net.prototxt"
test_iter: 2
test_interval: 10
base_lr: 0.1
lr_policy: "step"
stepsize: 10
gamma: 0.5
momentum: 0.9
weight_decay: 0.0005
display: 5
average_loss: 3
max_iter: 20
snapshot: 10
snapshot_prefix: "{folder}/{name}"
solver_mode: CPU
random_seed: 5
"""


@pytest.fixture
def solver(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)

    def write(name: str = "run", **changes: object) -> Path:
        text = SOLVER.format(folder=tmp_path, name=name)
        for key, value in changes.items():
            text = re.sub(rf"^{key}: .*\n", "", text, flags=re.MULTILINE)
            if value is not None:
                text += f"{key}: {value}\n"
        path = tmp_path / f"{name}.prototxt"
        path.write_text(text)
        return path

    return write


def weights(path: Path) -> dict[str, list[np.ndarray]]:
    net = NetParameter.FromString(path.read_bytes())
    return {layer.name: [np.array(blob.data, np.float32) for blob in layer.blobs] for layer in net.layer if layer.blobs}


def history(path: Path) -> list[np.ndarray]:
    return [np.array(blob.data, np.float32) for blob in SolverState.FromString(path.read_bytes()).history]


def test_prints_the_run_in_order(tmp_path, solver):
    file = solver()
    lines = messages(caffe("train", f"--solver={file}"))
    number = r"[\d.e+-]+"
    assert lines[0] == "Use CPU."
    assert "Initializing solver from parameters: " in lines
    nets = [line for line in lines if re.match(r"Creating (training|test) net", line)]
    assert nets == [
        f"Creating training net from net file: {tmp_path}/net.prototxt",
        f"Creating test net (#0) specified by net file: {tmp_path}/net.prototxt",
    ]

    def displayed(i: int, count: int) -> list[str]:
        return [
            rf"Iteration {i} \({number} iter/s, {number}s/{count} iters\), loss = {number}",
            rf"    Train net output #0: loss = {number} \(\* 1 = {number} loss\)",
            rf"Iteration {i}, lr = {0.1 * 0.5 ** (i // 10):g}",
        ]

    def tested(i: int) -> list[str]:
        return [
            rf"Iteration {i}, Testing net \(#0\)",
            rf"    Test net output #0: accuracy = {number}",
            rf"    Test net output #1: loss = {number} \(\* 1 = {number} loss\)",
        ]

    def snapshot(i: int) -> list[str]:
        return [
            rf"Snapshotting to binary proto file {tmp_path}/run_iter_{i}\.caffemodel",
            rf"Snapshotting solver state to binary proto file {tmp_path}/run_iter_{i}\.solverstate",
        ]

    expected = [
        r"Solver scaffolding done\.",
        "Starting Optimization",
        "Solving tiny",
        "Learning Rate Policy: step",
        *tested(0),
        *displayed(0, 1),
        *displayed(5, 5),
        *snapshot(10),
        *tested(10),
        *displayed(10, 5),
        *displayed(15, 5),
        *snapshot(20),
        rf"Iteration 20, loss = {number}",
        *tested(20),
        r"Optimization Done\.",
        r"Optimization Done\.",
    ]
    lines = [line for line in lines[lines.index("Solver scaffolding done.") :] if not line.startswith("Ignoring")]
    assert len(lines) == len(expected), "\n".join(lines)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)


def test_speeds_are_sane_from_the_first_line_on(solver):
    start = time.perf_counter()
    lines = messages(caffe("train", f"--solver={solver()}"))
    elapsed = time.perf_counter() - start
    speeds = [re.match(r"Iteration \d+ \((\S+) iter/s, (\S+)s/(\d+) iters\)", line) for line in lines]
    speeds = [match for match in speeds if match]
    assert len(speeds) == 4
    for match in speeds:
        per_second, seconds, iterations = (float(group) for group in match.groups())
        assert 0 < seconds < elapsed
        assert per_second == pytest.approx(iterations / seconds, rel=1e-3)


def test_learns_and_repeats_with_the_seed(tmp_path, solver):
    lines = messages(caffe("train", f"--solver={solver('first')}"))
    losses = [float(line.rsplit(" ", 1)[1]) for line in lines if re.match(r"Iteration \d+ .*loss = ", line)]
    assert losses[-1] < losses[0] / 4
    messages(caffe("train", f"--solver={solver('second')}"))
    messages(caffe("train", f"--solver={solver('third', random_seed=6)}"))
    first, second, third = ((tmp_path / f"{name}_iter_20.caffemodel") for name in ("first", "second", "third"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != third.read_bytes()


def test_trains_on_crossbars(tmp_path, solver):
    hardware = "rows: 8 cols: 8 conductance_sigma: 0.1 adc_bits: 6"
    text = NET.replace('"InnerProduct"', f'"CrossbarInnerProduct" crossbar_param {{ {hardware} }}', 2)
    assert text.count("Crossbar") == 2
    (tmp_path / "net.prototxt").write_text(text)
    file = solver("crossbar")
    lines = messages(caffe("train", f"--solver={file}"))
    losses = [float(line.rsplit(" ", 1)[1]) for line in lines if re.match(r"Iteration \d+ .*loss = ", line)]
    assert losses[-1] < losses[0] / 2
    model = tmp_path / "crossbar_iter_20.caffemodel"
    whole = weights(model)
    messages(caffe("train", f"--solver={file}", f"--snapshot={tmp_path}/crossbar_iter_10.solverstate"))
    np.testing.assert_equal(weights(model), whole)


@pytest.mark.parametrize("kind", ["SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, solver, kind):
    momentum = 0 if kind in ("AdaGrad", "RMSProp") else 0.9
    file = solver("whole", type=f'"{kind}"', momentum=momentum)
    messages(caffe("train", f"--solver={file}"))
    whole = weights(tmp_path / "whole_iter_20.caffemodel"), history(tmp_path / "whole_iter_20.solverstate")
    (tmp_path / "whole_iter_20.caffemodel").unlink()
    lines = messages(caffe("train", f"--solver={file}", f"--snapshot={tmp_path}/whole_iter_10.solverstate"))
    start = lines.index(f"Resuming from {tmp_path}/whole_iter_10.solverstate")
    assert "SGDSolver: restoring history" in lines[start:]
    assert "Iteration 10, Testing net (#0)" in lines[start:]
    resumed = weights(tmp_path / "whole_iter_20.caffemodel"), history(tmp_path / "whole_iter_20.solverstate")
    np.testing.assert_equal(resumed, whole)


@pytest.mark.parametrize("source", ["ImageData", "Data", "HDF5Data"])
def test_a_resumed_run_sees_the_data_that_it_would_have_seen(tmp_path, solver, rng, source):
    # 30 images in batches of 7, shuffled, cropped and mirrored at random: no two iterations see the same.
    images = rng.integers(0, 256, size=(30, 8, 8), dtype=np.uint8)
    (tmp_path / "list.txt").write_text("".join(f"{i}.png {i % 5}\n" for i in range(30)))
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    transform = "transform_param { crop_size: 6 mirror: true scale: 0.01 }"
    if source == "ImageData":
        folder = f'root_folder: "{tmp_path}/" source: "{tmp_path}/list.txt"'
        param = f"{transform} image_data_param {{ {folder} batch_size: 7 shuffle: true is_color: false }}"
    elif source == "Data":
        run("convert_imageset", "--gray", f"{tmp_path}/", tmp_path / "list.txt", tmp_path / "db")
        param = f'{transform} data_param {{ source: "{tmp_path}/db" batch_size: 7 backend: LMDB }}'
    else:
        with h5py.File(tmp_path / "data.h5", "w") as file:
            file["data"] = images[:, np.newaxis] * np.float32(0.01)
            file["label"] = np.arange(30, dtype=np.float32) % 5
        (tmp_path / "files.txt").write_text(f"{tmp_path}/data.h5\n")
        param = f'hdf5_data_param {{ source: "{tmp_path}/files.txt" batch_size: 7 shuffle: true }}'
    data = f'layer {{ name: "data" type: "{source}" top: "data" top: "label" {param} }}\n'
    (tmp_path / "net.prototxt").write_text('name: "tiny"\n' + data + NET[NET.index('layer { name: "ip1"') :])

    file = solver("whole", iter_size=2)
    messages(caffe("train", f"--solver={file}"))
    model = tmp_path / "whole_iter_20.caffemodel"
    whole = weights(model)
    model.unlink()
    lines = messages(caffe("train", f"--solver={file}", f"--snapshot={tmp_path}/whole_iter_10.solverstate"))
    np.testing.assert_equal(weights(model), whole)
    assert any(line.startswith("    Test net output #0: accuracy = ") for line in lines)


def test_hdf5_snapshots_hold_the_same(tmp_path, solver):
    messages(caffe("train", f"--solver={solver('proto')}"))
    file = solver("hdf5", snapshot_format="HDF5")
    lines = messages(caffe("train", f"--solver={file}"))
    assert f"Snapshotting to HDF5 file {tmp_path}/hdf5_iter_10.caffemodel.h5" in lines
    assert f"Snapshotting solver state to HDF5 file {tmp_path}/hdf5_iter_10.solverstate.h5" in lines
    expected = weights(tmp_path / "proto_iter_20.caffemodel")
    model = tmp_path / "hdf5_iter_20.caffemodel.h5"

    def check() -> None:
        with h5py.File(model) as stored:
            for layer, blobs in expected.items():
                for i, blob in enumerate(blobs):
                    np.testing.assert_array_equal(stored[f"data/{layer}/{i}"][()].ravel(), blob)

    check()
    with h5py.File(tmp_path / "hdf5_iter_20.solverstate.h5") as state:
        assert state["iter"][()] == [20]
        assert state["learned_net"][()] == str(model).encode()
        for i, blob in enumerate(history(tmp_path / "proto_iter_20.solverstate")):
            np.testing.assert_array_equal(state[f"history/{i}"][()].ravel(), blob)
    model.unlink()
    messages(caffe("train", f"--solver={file}", f"--snapshot={tmp_path}/hdf5_iter_10.solverstate.h5"))
    check()


def test_weights_start_a_run(tmp_path, solver):
    messages(caffe("train", f"--solver={solver('first')}"))
    file = solver("second", base_lr=0, max_iter=1, snapshot=1, weight_decay=0)
    both = f"{tmp_path}/first_iter_10.caffemodel,{tmp_path}/first_iter_20.caffemodel"
    lines = messages(caffe("train", f"--solver={file}", f"--weights={both}"))
    assert f"Finetuning from {tmp_path}/first_iter_20.caffemodel" in lines
    expected = weights(tmp_path / "first_iter_20.caffemodel")
    np.testing.assert_equal(weights(tmp_path / "second_iter_1.caffemodel"), expected)


def test_stage_chooses_layers_of_the_training_net(tmp_path, solver):
    messages(caffe("train", f"--solver={solver('plain')}"))
    messages(caffe("train", f"--solver={solver('staged')}", "--stage=extra"))
    assert "extra" not in weights(tmp_path / "plain_iter_10.caffemodel")
    assert "extra" in weights(tmp_path / "staged_iter_10.caffemodel")


def start_endless(file: Path, *flags: str) -> tuple[subprocess.Popen[str], list[str]]:
    """A process that is past its first display."""
    command = [str(CAFFE), "train", f"--solver={file}", "--logtostderr", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines: list[str] = []
    read_until(process, lines, "Iteration 1000, lr")
    return process, lines


def read_until(process: subprocess.Popen[str], lines: list[str], part: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if part in line:
            return
    pytest.fail(f"no line with {part!r} in:\n{''.join(lines)}")


ENDLESS = {"max_iter": 10**9, "snapshot": 0, "test_interval": 10**8, "display": 1000, "test_initialization": "false"}


def test_sigint_stops_with_a_snapshot(tmp_path, solver):
    process, _ = start_endless(solver(**ENDLESS))
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Optimization stopped early." in rest
    states = list(tmp_path.glob("run_iter_*.solverstate"))
    models = list(tmp_path.glob("run_iter_*.caffemodel"))
    assert len(states) == len(models) == 1
    assert SolverState.FromString(states[0].read_bytes()).learned_net == str(models[0])


def test_sighup_snapshots_and_goes_on(tmp_path, solver):
    process, lines = start_endless(solver(**ENDLESS), "--sigint_effect=none")
    process.send_signal(signal.SIGINT)  # nothing
    process.send_signal(signal.SIGHUP)
    read_until(process, lines, "Snapshotting solver state")
    read_until(process, lines, ", lr = ")
    process.kill()  # leaves what was written
    process.communicate(timeout=60)
    (model,) = tmp_path.glob("run_iter_*.caffemodel")
    assert set(weights(model)) == {"ip1", "ip2"}


def test_wrong_input_is_one_message(tmp_path, solver):
    file = solver()
    assert "--solver" in error("train")
    assert "File not found: no.prototxt" in error("train", "--solver=no.prototxt")
    assert "not both" in error("train", f"--solver={file}", "--snapshot=a", "--weights=b")
    assert "File not found: a.solverstate" in error("train", f"--solver={file}", "--snapshot=a.solverstate")
    assert "File not found: b.caffemodel" in error("train", f"--solver={file}", "--weights=b.caffemodel")
    assert 'Invalid signal effect "end" in --sigint_effect' in error("train", f"--solver={file}", "--sigint_effect=end")
    assert "--gpu=0" in error("train", f"--solver={file}", "--gpu=0")
    bad = solver(lr_policy='"sometimes"')
    assert "'sometimes'" in error("train", f"--solver={bad}")
    bad = solver(type='"Sgd"')
    assert "Unknown solver type: Sgd" in error("train", f"--solver={bad}")
    bad = solver(snapshot_prefix='"/no/such/folder/x"')
    assert "Cannot write to snapshot prefix '/no/such/folder/x'" in error("train", f"--solver={bad}")
    file.write_text("net: 'x'\nbase_ir: 1\n")
    assert f'{file}:2:8: Message type "caffe.SolverParameter" has no field named "base_ir"' in error(
        "train", f"--solver={file}"
    )
    file.write_text("net: 'no_net.prototxt'")
    assert "File not found: no_net.prototxt" in error("train", f"--solver={file}")


def test_a_damaged_snapshot_is_refused(tmp_path, solver):
    file = solver()
    messages(caffe("train", f"--solver={file}"))
    state = tmp_path / "run_iter_10.solverstate"
    state.write_bytes(state.read_bytes()[:-20])
    message = error("train", f"--solver={file}", f"--snapshot={state}")
    assert str(state) in message
    assert "truncated" in message
