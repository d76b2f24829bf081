"""What the tests share: small networks, real data where there is some, and the command line."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caffe
from rxnn.demo import Digits, as_bytes

ROOT = Path(__file__).resolve().parents[2]
LENET = ROOT / "models" / "lenet_digits"

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
    text = text.replace(
        'data_param { source: "demo/test_lmdb" batch_size: 50 backend: LMDB }',
        f'image_data_param {{ source: "{folder}/list.txt" batch_size: 50 is_color: false }}',
    )
    assert "ImageData" in text
    assert "image_data_param" in text
    model = folder / "net.prototxt"
    model.write_text(text)
    return model, LENET / "lenet_digits.caffemodel"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


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
