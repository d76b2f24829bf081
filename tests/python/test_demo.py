"""rxnn demo, and the weights it runs."""

import json
import shlex
import shutil
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
    folder = tmp_path_factory.mktemp("demo") / "dem o"
    command = [sys.executable, "-m", "rxnn", "demo", "--out", folder.name]
    subprocess.run(command, capture_output=True, check=True, cwd=folder.parent)
    return folder


def retrain(folder: Path) -> subprocess.CompletedProcess[str]:
    # Elsewhere than the demo, whose sources are relative to where it was run.
    script = ROOT / "examples" / "retrain" / "retrain.sh"
    return subprocess.run([script, folder.name], capture_output=True, text=True, check=False, cwd=folder.parent)


def test_retraining_wins_accuracy_back(demo):
    done = retrain(demo)
    assert done.returncode == 0, done.stderr
    plain, lost, won = (float(line.split()[-1]) for line in done.stdout.splitlines())
    assert plain - lost > 0.05
    assert won - lost > 0.5 * (plain - lost)


def test_retraining_says_why_it_fails(tmp_path):
    if not (BIN / "caffe").is_file():
        pytest.skip(f"{BIN}/caffe is not built")
    shutil.copy(LENET / "lenet_digits.caffemodel", tmp_path)
    shutil.copy(LENET / "train_test.prototxt", tmp_path / "lenet_digits.prototxt")
    done = retrain(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "caffe train failed" in done.stderr
    assert f"Database not found: {tmp_path}/train_lmdb" in done.stderr


def test_demo_runs_and_reports(run_rxnn, demo, tmp_path):
    # Over the files of an earlier run.
    status, out, err = run_rxnn("demo", "--out", demo, "--json", tmp_path / "r.json")
    assert status == 0, err
    results = {row["hardware"]: row for row in json.loads((tmp_path / "r.json").read_text())["results"]}
    assert set(results) == {"plain", *rxnn.presets()}
    assert results["plain"]["accuracy"] >= 0.97
    assert results["ideal"]["accuracy"] == pytest.approx(results["plain"]["accuracy"], abs=0.01)
    (follow_up,) = (shlex.split(line) for line in out.splitlines() if line.startswith("  rxnn evaluate "))
    assert follow_up[follow_up.index("--model") + 1] == str(demo / "lenet_digits.prototxt")
    assert follow_up[follow_up.index("--weights") + 1] == str(demo / "lenet_digits.caffemodel")
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
    (tmp_path / "file").write_text("")
    assert "is a file, expected a folder" in fails("demo", "--out", tmp_path / "file")
    report = ("--json", tmp_path / "nowhere" / "r.json")
    assert "there is no folder" in fails("demo", "--out", tmp_path / "demo", *report)
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
