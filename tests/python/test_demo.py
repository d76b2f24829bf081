"""rxnn demo, and the weights it runs."""

import json
import subprocess
import sys

import numpy as np
import pytest

import caffe
import rxnn
from conftest import LENET, ROOT
from rxnn.demo import Digits, as_bytes

BINARIES = ROOT / "build" / "bin"


def test_digits_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets")
    digits, original = Digits.load(LENET / "digits.npz"), datasets.load_digits()
    np.testing.assert_array_equal(digits.images, original.images)
    np.testing.assert_array_equal(digits.labels, original.target)
    assert len(digits.test) == len(set(digits.test)) == 450


def test_digits_become_bytes():
    np.testing.assert_array_equal(as_bytes(np.array([0, 1, 15, 16], np.uint8)), [0, 16, 240, 255])


def test_demo_runs_and_reports(run_rxnn, tmp_path):
    if not (BINARIES / "caffe").is_file():
        pytest.skip(f"{BINARIES}/caffe is not built")
    for _ in range(2):  # the second time over the files of the first
        status, out, err = run_rxnn("demo", "--out", tmp_path / "demo", "--json", tmp_path / "r.json")
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
        assert (tmp_path / "demo" / name).exists()


def test_demo_says_what_is_not_built(fails, tmp_path):
    assert "make build" in fails("demo", "--out", tmp_path / "demo", "--build", tmp_path)
    assert not (tmp_path / "demo").exists()


def test_training_makes_weights_like_those_that_are_kept(tmp_path, lenet):
    if not (BINARIES / "caffe").is_file():
        pytest.skip(f"{BINARIES}/caffe is not built")
    model, kept = lenet
    out = tmp_path / "trained.caffemodel"
    subprocess.run([sys.executable, LENET / "train.py", "--out", out], check=True, capture_output=True)
    for weights in (kept, out):
        net = caffe.Net(model, caffe.TEST, weights=weights)
        accuracy = np.mean([net.forward()["accuracy"] for _ in range(2)])
        assert accuracy >= 0.95, weights
