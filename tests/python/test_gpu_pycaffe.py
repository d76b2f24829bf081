"""pycaffe in GPU mode, in processes with emulated GPUs: the results of the CPU, and training on several GPUs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tolerance
from caffe_command import BUILD

SCRIPTS = Path(__file__).resolve().parents[2] / "python"
BEGIN = """
import sys, threading
import numpy as np
import caffe

caffe.init_log(2, stderr=True)
random = np.random.default_rng(1)
DATA = random.normal(size=(12, 3, 6, 6)).astype(np.float32)
LABELS = (np.arange(12) % 3).astype(np.float32)

def feed(solver, begin, end):
    solver.net.set_input_arrays(DATA[begin:end], LABELS[begin:end])
    return solver

def weights(net):
    return np.concatenate([blob.data.ravel() for blobs in net.params.values() for blob in blobs])
"""
NET = """
layer {{ name: "data" type: "MemoryData" top: "data" top: "label"
         memory_data_param {{ batch_size: {batch} channels: 3 height: 6 width: 6 }} }}
layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv"
         convolution_param {{ num_output: 4 kernel_size: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "conv" top: "conv" }}
{more}
layer {{ name: "ip" type: "InnerProduct" bottom: "{scored}" top: "ip"
         inner_product_param {{ num_output: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }}
"""
SOLVER = """
net: "net{batch}.prototxt" base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 random_seed: 3 max_iter: 4 display: 1
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    write_nets(tmp_path)
    return tmp_path


def write_nets(folder: Path, more: str = "", scored: str = "conv") -> None:
    """solver2.prototxt and so on: solvers with batches of 2 and so on. `more`: a layer that makes `scored`."""
    for batch in (2, 4, 6):
        (folder / f"net{batch}.prototxt").write_text(NET.format(batch=batch, more=more, scored=scored))
        (folder / f"solver{batch}.prototxt").write_text(SOLVER.format(batch=batch))


def run(folder: Path, *command: str, gpus: int) -> subprocess.CompletedProcess[str]:
    plugin = next((BUILD / "lib").glob("libemulated_gpu.*"))
    environment = {**os.environ, "CAFFE_PLUGINS": str(plugin), "RXNN_EMULATED_GPUS": str(gpus)}
    command = (sys.executable, *command)
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done


def python(folder: Path, script: str, gpus: int = 1) -> None:
    run(folder, "-c", BEGIN + script, gpus=gpus)


def test_a_net_gives_what_it_gives_on_the_cpu(folder):
    python(
        folder,
        """
solver = feed(caffe.SGDSolver("solver2.prototxt"), 0, 4)
net = solver.net
net.forward(); net.backward()
scores, gradient = net.blobs["ip"].data.copy(), net.params["conv"][0].diff.copy()
caffe.set_device(0); caffe.set_mode_gpu()
feed(solver, 0, 4)
net.clear_param_diffs()
net.forward(); net.backward()
np.save("scores.npy", [scores, net.blobs["ip"].data])
np.save("gradients.npy", [gradient, net.params["conv"][0].diff])
net.params["ip"][0].data[...] = 0  # by a view of the host
feed(solver, 0, 4)
net.forward()
assert np.all(net.blobs["ip"].data == 0)
""",
    )
    for name in ("scores", "gradients"):
        cpu, gpu = np.load(folder / f"{name}.npy")
        assert np.any(cpu != 0)
        np.testing.assert_allclose(gpu, cpu, rtol=0, atol=tolerance.OTHER_DEVICE)


@pytest.mark.parametrize("python_layer", [False, True])
def test_several_gpus_train_as_one_with_larger_batches(folder, python_layer):
    if python_layer:
        (folder / "halve.py").write_text(
            "import caffe\n"
            "class Halve(caffe.Layer):\n"
            "    def setup(self, bottom, top): pass\n"
            "    def reshape(self, bottom, top): top[0].reshape(*bottom[0].shape)\n"
            "    def forward(self, bottom, top): top[0].data[...] = bottom[0].data / 2\n"
            "    def backward(self, top, down, bottom): bottom[0].diff[...] = top[0].diff / 2\n"
        )
        python_param = 'python_param { module: "halve" layer: "Halve" }'
        write_nets(
            folder, f'layer {{ name: "halve" type: "Python" bottom: "conv" top: "half" {python_param} }}', "half"
        )
    python(
        folder,
        """
sys.path.insert(0, ".")
solver = feed(caffe.SGDSolver("solver2.prototxt"), 0, 12)
solver.use_gpus([1, 0, 2])
calls = []
solver.add_callback(lambda: calls.append("start"), lambda: calls.append("gradients"))
start = weights(solver.net)
solver.step(4)
assert solver.iter == 4 and calls == 4 * ["start", "gradients"]
one = feed(caffe.SGDSolver("solver6.prototxt"), 0, 12)
assert np.array_equal(weights(one.net), start)
one.step(4)
np.save("weights.npy", [start, weights(solver.net), weights(one.net)])
""",
        gpus=3,
    )
    start, several, one = np.load(folder / "weights.npy")
    assert np.abs(one - start).max() > 0.01
    np.testing.assert_allclose(several, one, rtol=0, atol=tolerance.OTHER_DEVICE)


def test_use_gpus_says_what_is_wrong(folder):
    python(
        folder,
        """
solver = caffe.SGDSolver("solver2.prototxt")
def message(gpus):
    try:
        solver.use_gpus(gpus)
    except caffe.Error as error:
        return str(error)
assert "no GPU is named" in message([])
assert "GPU 1 is named twice" in message([1, 0, 1])
assert "no GPU 2" in message([0, 2])
assert message([0, 1]) is None
assert "has its GPUs" in message([0, 1])
""",
        gpus=2,
    )


def test_solvers_in_threads_train_together_by_nccl(folder):
    python(
        folder,
        """
assert caffe.has_nccl()
uid = caffe.NCCL.new_uid()
assert isinstance(uid, bytes)
results = {}

def train(rank):
    caffe.set_device(rank); caffe.set_mode_gpu()
    caffe.set_solver_count(2); caffe.set_solver_rank(rank)
    solver = feed(caffe.SGDSolver("solver2.prototxt"), 2 * rank, 2 * rank + 2)
    start = weights(solver.net)
    nccl = caffe.NCCL(solver, uid)
    nccl.bcast()
    solver.add_callback(nccl)
    solver.net.after_backward(nccl)
    del nccl
    solver.step(4)
    results[rank] = start, weights(solver.net)

threads = [threading.Thread(target=train, args=(rank,)) for rank in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
(start, first), (other_start, second) = results[0], results[1]
assert not np.array_equal(start, other_start)  # seeds of their own, before bcast
one = feed(caffe.SGDSolver("solver4.prototxt"), 0, 4)
assert np.array_equal(weights(one.net), start)
one.step(4)
np.save("weights.npy", [first, second, weights(one.net)])
""",
        gpus=2,
    )
    first, second, one = np.load(folder / "weights.npy")
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, one, rtol=0, atol=tolerance.OTHER_DEVICE)


def test_train_script_takes_several_gpus(folder):
    source = 'layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {\n'
    source += "shape { dim: 2 dim: 3 dim: 6 dim: 6 } shape { dim: 2 } } }\n"
    net = (folder / "net2.prototxt").read_text()
    (folder / "net2.prototxt").write_text(source + net[net.index('layer { name: "conv"') :])
    solver = ["--solver", "solver2.prototxt"]
    done = run(folder, str(SCRIPTS / "train.py"), *solver, "--gpus", "0", "1", "--timing", gpus=2)
    assert done.stdout.count("mean times in ms of the last 1") == 4
