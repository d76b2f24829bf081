"""The scripts in python/: classify.py, detect.py, draw_net.py, train.py, as a user runs them."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caffe

SCRIPTS = Path(__file__).resolve().parents[2] / "python"
NET = """
name: "means"
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 6 dim: 8 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE global_pooling: true } }
layer { name: "scale" type: "Convolution" bottom: "pool" top: "scores"
        convolution_param { num_output: 3 kernel_size: 1 group: 3 bias_term: false } }
"""


@pytest.fixture
def folder(tmp_path, rng):
    """A network that gives the means of its channels, and images."""
    (tmp_path / "net.prototxt").write_text(NET)
    net = caffe.Net(tmp_path / "net.prototxt", caffe.TEST)
    net.params["scale"][0].data[...] = 1
    net.save(tmp_path / "w.caffemodel")
    for name in ("b", "a", "c"):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


def run(script, *arguments, cwd):
    return subprocess.run(
        [sys.executable, SCRIPTS / script, *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )


def works(script, *arguments, cwd):
    done = run(script, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fails(script, *arguments, cwd):
    done = run(script, *arguments, cwd=cwd)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith(f"{script}: error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


MODEL = ("--model_def", "net.prototxt", "--pretrained_model", "w.caffemodel")


def test_classify_a_folder(folder):
    mean = caffe.io.array_to_blobproto(np.full((1, 3, 2, 2), 100.0))
    (folder / "mean.binaryproto").write_bytes(mean.SerializeToString())
    options = ("--images_dim", "20,30", "--mean_file", "mean.binaryproto", "--ext", "png", "--center_only")
    out = works("classify.py", ".", "scores", *MODEL, *options, cwd=folder)
    assert "CPU mode\n" in out
    assert "Classifying 3 inputs.\n" in out
    assert "Saving results into scores.npy\n" in out
    expected = []
    for name in ("a", "b", "c"):
        pixels = np.asarray(Image.open(folder / f"{name}.png"), float)
        expected.append(pixels[7:13, 11:19].mean(axis=(0, 1))[::-1] - 100)
    np.testing.assert_allclose(np.load(folder / "scores.npy"), expected, rtol=1e-4)
    assert not list(folder.glob(".*"))


def test_classify_says_what_is_wrong(folder):
    assert "no.png" in fails("classify.py", "no.png", "s.npy", *MODEL, cwd=folder)
    assert "no files that end in .gif" in fails("classify.py", ".", "s.npy", *MODEL, "--ext", "gif", cwd=folder)
    (folder / "mean.binaryproto").write_bytes(b"\xff\xff\xff")
    message = fails("classify.py", "a.png", "s.npy", *MODEL, "--mean_file", "mean.binaryproto", cwd=folder)
    assert "mean.binaryproto is no mean" in message
    assert not (folder / "s.npy").exists()


def test_detect_windows_of_a_list(folder):
    (folder / "windows.csv").write_text(
        "filename,ymin,xmin,ymax,xmax\na.png,2,3,8,11\nb.png,0,0,6,8\na.png,14,22,20,30\n"
    )
    out = works("detect.py", "windows.csv", "out.csv", "--crop_mode", "list", "--context_pad", 0, *MODEL, cwd=folder)
    assert "Processed 3 windows" in out
    with open(folder / "out.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["filename"] for row in rows] == ["a.png", "a.png", "b.png"]
    pixels = np.asarray(Image.open(folder / "a.png"), float)
    scores = [float(rows[1][f"class{index}"]) for index in range(3)]
    np.testing.assert_allclose(scores, pixels[14:20, 22:30].mean(axis=(0, 1))[::-1], rtol=1e-4)
    assert float(rows[1]["ymin"]) == 14


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("filename,ymin\na.png,2\n", ("in.csv", "out.csv", "--crop_mode", "list"), "no column xmax, xmin, ymax"),
        ("filename,ymin,xmin,ymax,xmax\na.png,1,x,3,4\n", ("in.csv", "out.csv", "--crop_mode", "list"), "in.csv:2"),
        ("", ("in.csv", "out.txt", "--crop_mode", "list"), "must end in .csv or .h5"),
        ("", ("in.csv", "out.csv"), "with --crop_mode selective_search the input is a .txt file"),
        ("a.png", ("in.txt", "out.csv"), "selective_search_ijcv_with_python"),
    ],
)
def test_detect_says_what_is_wrong(folder, content, arguments, message):
    (folder / arguments[0]).write_text(content)
    assert message in fails("detect.py", *arguments, *MODEL, "--context_pad", 1, cwd=folder)


def test_draw_net(folder):
    pytest.importorskip("pydot")
    assert works("draw_net.py", "net.prototxt", "net.dot", "--rankdir", "TB", cwd=folder) == "Drawing net to net.dot\n"
    text = (folder / "net.dot").read_text()
    assert "rankdir=TB" in text
    assert "AVE Pooling" in text
    assert "net.gone" in fails("draw_net.py", "net.gone", "net.dot", cwd=folder)


def test_train(folder):
    (folder / "train.prototxt").write_text(
        'layer { name: "in" type: "Input" top: "x" top: "y"\n'
        "        input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }\n"
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 2 } }\n'
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "y" top: "loss" }\n'
    )
    (folder / "solver.prototxt").write_text(
        'net: "train.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 4 display: 2 snapshot_prefix: "s"\n'
    )
    out = works("train.py", "--solver", "solver.prototxt", "--timing", cwd=folder)
    assert out.count("mean times in ms of the last 2") == 2
    assert out.count("                  ip forward") == 2
    assert (folder / "s_iter_4.caffemodel").exists()
    done = run("train.py", "--solver", "solver.prototxt", "--snapshot", "no.solverstate", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.endswith("train.py: error: Could not open file no.solverstate\n")
    assert "no GPU support" in fails("train.py", "--solver", "solver.prototxt", "--gpus", 0, 1, cwd=folder)
