"""What the tests share: small networks, real data where there is some, and the command line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caffe
from rxnn.cli import main
from rxnn.demo import Digits, as_bytes
from rxnn.physical_array import matrix_array

ROOT = Path(__file__).resolve().parents[2]
LENET = ROOT / "models" / "lenet_digits"
SMALL_NET = """
name: "small"
layer { name: "input" type: "Input" top: "data" top: "extra"
        input_param { shape { dim: 2 dim: 3 dim: 6 dim: 5 } shape { dim: 2 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" }
                            bias_filler { type: "gaussian" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
        inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "sum" type: "Eltwise" bottom: "ip" bottom: "extra" top: "sum" }
layer { name: "prob" type: "Softmax" bottom: "sum" top: "prob" }
"""

caffe.init_log(2, stderr=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real inputs; tests that need it are skipped without."""
    folder = Path(os.environ.get("RXNN_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not there (set RXNN_DATA)")
    return folder


@pytest.fixture(scope="session")
def lenet(tmp_path_factory) -> tuple[Path, Path]:
    """Prototxt and weights of LeNet, its TEST phase reading 100 images of digits by ImageData."""
    folder = tmp_path_factory.mktemp("lenet")
    digits = Digits.load(LENET / "digits.npz")
    lines = []
    for index in digits.test[:100]:
        Image.fromarray(as_bytes(digits.images[index])).save(folder / f"{index}.png")
        lines.append(f"{folder}/{index}.png {digits.labels[index]}\n")
    (folder / "list.txt").write_text("".join(lines))
    text = (LENET / "train_test.prototxt").read_text()
    text = text.replace('type: "Data"', 'type: "ImageData"')
    for part in ("train", "test"):
        data_param = f'data_param {{ source: "demo/{part}_lmdb" batch_size: 50 backend: LMDB }}'
        assert data_param in text
        text = text.replace(
            data_param, f'image_data_param {{ source: "{folder}/list.txt" batch_size: 50 is_color: false }}'
        )
    model = folder / "net.prototxt"
    model.write_text(text)
    return model, LENET / "lenet_digits.caffemodel"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture
def net_file(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(SMALL_NET)
    return path


@pytest.fixture
def net(net_file):
    caffe.set_random_seed(3)
    return caffe.Net(net_file, caffe.TEST)


@pytest.fixture
def inputs(rng):
    return {
        "data": rng.normal(size=(2, 3, 6, 5)).astype(np.float32),
        "extra": rng.normal(size=(2, 4)).astype(np.float32),
    }


@pytest.fixture
def run_rxnn():
    """Runs the command in a process of its own: (exit status, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "rxnn", *(str(argument) for argument in arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def fails(run_rxnn):
    """Runs the command and expects one line of complaint, which is returned, and exit status 1."""

    def run(*arguments: object) -> str:
        status, out, err = run_rxnn(*arguments)
        assert status == 1, out + err
        assert err.startswith("rxnn: error: "), err
        assert err.count("\n") == 1, err
        return err

    return run


@pytest.fixture
def run_here(capsys):
    """Runs the command in this process, which is quicker: (exit status or message, stdout)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert err == ""
        return stopped.value.code, out

    return run


@pytest.fixture
def refused(run_here):
    """Runs the command and expects one line of complaint, which is returned."""

    def run(*arguments):
        message, _ = run_here(*arguments)
        assert isinstance(message, str), message
        assert message.startswith("rxnn: error: ")
        assert "\n" not in message
        return message

    return run


@pytest.fixture
def matrix(rng, tmp_path):
    """Writes random cells, some of them 0 S, to g.npy and returns their array."""

    def make(rows, cols, hardware=""):
        g = 10 ** rng.uniform(-6, -4, (rows, cols))
        g[rng.random(g.shape) < 0.05] = 0
        np.save(tmp_path / "g.npy", g)
        return matrix_array(tmp_path / "g.npy", hardware)

    return make
