"""rxnn demo, and the weights it runs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import caffe
import rxnn
from caffe_command import BIN
from conftest import LENET, ROOT
from rxnn.demo import Digits, as_bytes


def test_digits_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets")
    digits, original = Digits.load(LENET / "digits.npz"), datasets.load_digits()
    np.testing.assert_array_equal(digits.images, original.images)
    np.testing.assert_array_equal(digits.labels, original.target)
    assert len(digits.test) == len(set(digits.test)) == 450


def test_digits_become_bytes():
    np.testing.assert_array_equal(as_bytes(np.array([0, 1, 15, 16], np.uint8)), [0, 16, 240, 255])


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The folder of a demo that has run."""
    if not (BIN / "caffe").is_file():
        pytest.skip(f"{BIN}/caffe is not built")
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "rxnn", "demo", "--out", str(folder)]
    subprocess.run(command, capture_output=True, check=True)
    return folder


def test_retraining_wins_accuracy_back(demo):
    script = ROOT / "examples" / "retrain" / "retrain.sh"
    done = subprocess.run([str(script), str(demo)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plain, lost, won = (float(line.split()[-1]) for line in done.stdout.splitlines())
    assert plain - lost > 0.05
    assert won - lost > 0.5 * (plain - lost)


def test_demo_runs_and_reports(run_rxnn, demo, tmp_path):
    # Over the files of an earlier run.
    status, out, err = run_rxnn("demo", "--out", demo, "--json", tmp_path / "r.json")
    assert status == 0, err
    results = {row["hardware"]: row for row in json.loads((tmp_path / "r.json").read_text())["results"]}
    assert set(results) == {"plain", *rxnn.presets()}
    assert results["plain"]["accuracy"] >= 0.97
    assert results["ideal"]["accuracy"] == pytest.approx(results["plain"]["accuracy"], abs=0.01)
    for row in results.values():
        assert row["hardware"] in out
        assert row["accuracy"] > 0.9
    for name in (
        "train_lmdb",
        "test_lmdb",
        "solver.prototxt",
        "images",
        "rram_64x64.prototxt",
        "rram_64x64.caffemodel",
    ):
        assert (demo / name).exists()


def test_demo_says_what_is_not_built(fails, tmp_path):
    assert "make build" in fails("demo", "--out", tmp_path / "demo", "--build", tmp_path)
    assert not (tmp_path / "demo").exists()


def test_training_makes_weights_like_those_that_are_kept(tmp_path, lenet):
    if not (BIN / "caffe").is_file():
        pytest.skip(f"{BIN}/caffe is not built")
    model, kept = lenet
    out = tmp_path / "trained.caffemodel"
    subprocess.run([sys.executable, LENET / "train.py", "--out", out], check=True, capture_output=True)
    for weights in (kept, out):
        net = caffe.Net(model, caffe.TEST, weights=weights)
        accuracy = np.mean([net.forward()["accuracy"] for _ in range(2)])
        assert accuracy >= 0.95, weights
