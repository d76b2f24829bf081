"""The main job on real input: SqueezeNet with ImageNet weights on labelled photographs.

The figures are those of BVLC Caffe 1.0 on the same weights and images (the README beside the data).
"""

import re
from pathlib import Path

import numpy as np
import pytest

import caffe
import caffe_command
import rxnn

pytestmark = pytest.mark.realdata

MEAN = [104, 117, 123]


def _run(tool: str, *arguments: object) -> str:
    done = caffe_command.run(tool, *arguments, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr


def _outputs(log: str) -> dict[str, float]:
    """The means that `caffe test` prints after its last batch."""
    return {name: float(value) for name, value in re.findall(r"\] (\w+) = (\S+)(?: \(\*.*\))?$", log, re.MULTILINE)}


@pytest.fixture(scope="module")
def squeezenet(real_data: Path, tmp_path_factory) -> dict[str, Path]:
    """Weights, the deploy network, and networks that read all images from an LMDB and from files."""
    folder = tmp_path_factory.mktemp("squeezenet")
    images, source = real_data / "imagenet1000", real_data / "squeezenet"
    _run("convert_imageset", f"{images}/", images / "labels.txt", folder / "lmdb")
    deploy = source / "deploy.prototxt"
    rxnn.add_data(deploy, folder / "lmdb", folder / "lmdb.prototxt", mean=MEAN)
    rxnn.add_data(deploy, images / "labels.txt", folder / "list.prototxt", root=images, mean=MEAN)
    return {
        "weights": source / "squeezenet_v1.0.caffemodel",
        "deploy": deploy,
        "lmdb": folder / "lmdb.prototxt",
        "list": folder / "list.prototxt",
        "golden": source / "golden.npz",
    }


def test_activations_are_those_of_caffe(squeezenet):
    golden = np.load(squeezenet["golden"])
    images = golden["input_u8_bgr"].astype(np.float32) - golden["mean_bgr"].astype(np.float32).reshape(1, 3, 1, 1)
    net = caffe.Net(squeezenet["deploy"], caffe.TEST, weights=squeezenet["weights"])
    net.blobs["data"].reshape(*images.shape)
    prob = net.forward(data=images)["prob"]
    pool10 = net.blobs["pool10"].data
    assert np.abs(pool10.reshape(len(images), -1) - golden["pool10"].reshape(len(images), -1)).max() < 1e-3
    assert np.abs(prob.reshape(len(images), -1) - golden["prob"].reshape(len(images), -1)).max() < 1e-5


def test_accuracy_over_1000_images_is_that_of_caffe(squeezenet):
    log = _run(
        "caffe",
        *("test", "--model", squeezenet["lmdb"], "--weights", squeezenet["weights"], "--iterations", 20),
    )
    outputs = _outputs(log)
    assert outputs["top1"] == pytest.approx(0.632, abs=0.002)
    assert outputs["top5"] == pytest.approx(0.836, abs=0.002)
    assert outputs["loss"] == pytest.approx(1.597, abs=0.002)


def test_database_and_files_give_the_same_images(squeezenet):
    nets = [caffe.Net(squeezenet[kind], caffe.TEST, weights=squeezenet["weights"]) for kind in ("lmdb", "list")]
    for net in nets:
        net.forward(end="conv1")
    for blob in ("data", "label", "conv1"):
        np.testing.assert_array_equal(nets[0].blobs[blob].data, nets[1].blobs[blob].data)


def test_ideal_crossbars_cost_little_and_real_ones_more(squeezenet):
    chips = ["ideal", "rram_64x64"]
    evaluation = rxnn.evaluate(squeezenet["lmdb"], squeezenet["weights"], chips, iterations=2)
    ideal, rram = evaluation.on_hardware
    assert abs(evaluation.drop(ideal, "top1")) <= 0.015 + 1e-9
    assert evaluation.drop(rram, "top1") >= evaluation.drop(ideal, "top1")
    assert rram.outputs["loss"] > ideal.outputs["loss"]


def test_files_of_convert_give_what_evaluate_gives(squeezenet, tmp_path):
    """The user's two steps: convert, then an unchanged `caffe test`."""
    out = tmp_path / "x.prototxt", tmp_path / "x.caffemodel"
    reports = rxnn.convert(squeezenet["lmdb"], squeezenet["weights"], "rram_64x64", *out)
    assert len(reports) == 26
    assert all(report.worst_relative_change > report.mean_relative_change > 0 for report in reports)
    outputs = _outputs(_run("caffe", "test", "--model", out[0], "--weights", out[1], "--iterations", 1))
    evaluation = rxnn.evaluate(squeezenet["lmdb"], squeezenet["weights"], ["rram_64x64"], iterations=1)
    expected = evaluation.on_hardware[0].outputs
    assert outputs == pytest.approx(expected, rel=1e-5)
