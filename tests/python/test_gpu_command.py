"""caffe --gpu: the command linked with emulated GPUs does what it does on the CPU, and says what is wrong."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tolerance
from caffe.proto.caffe_pb2 import NetParameter
from caffe_command import messages, run

TOOL = "caffe_on_emulated_gpu"
NET = """
layer {{ name: "data" type: "ImageData" top: "data" top: "label" image_data_param {{
         source: "{folder}/list.txt" root_folder: "{folder}/" batch_size: {batch} shuffle: {drawn} }}
         transform_param {{ scale: 0.01 mirror: {drawn} }} }}
layer {{ name: "conv" type: "{convolution}" bottom: "data" top: "conv" {crossbar}
         convolution_param {{ num_output: 4 kernel_size: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "conv" top: "conv" }}
layer {{ name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param {{ kernel_size: 2 stride: 2 }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "pool" top: "ip"
         inner_product_param {{ num_output: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }}
layer {{ name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include {{ phase: TEST }} }}
"""
SOLVER = """
net: "{folder}/net.prototxt" test_iter: 2 test_interval: 5 base_lr: 0.05 lr_policy: "fixed" momentum: 0.9
weight_decay: 0.01 display: 1 max_iter: 10 snapshot: 0 snapshot_prefix: "{folder}/{name}" random_seed: 3 {more}
"""


def write_net(
    folder: Path, convolution: str = "Convolution", crossbar: str = "", batch: int = 3, drawn: str = "false"
) -> Path:
    """The net; `drawn`: images come shuffled, and mirrored at random."""
    path = folder / "net.prototxt"
    text = NET.format(folder=folder, convolution=convolution, crossbar=crossbar, batch=batch, drawn=drawn)
    path.write_text(text)
    return path


@pytest.fixture
def model(tmp_path) -> Path:
    random = np.random.default_rng(1)
    names = []
    for i in range(8):
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        names.append(f"{i}.png {i % 3}\n")
    (tmp_path / "list.txt").write_text("".join(names))
    return write_net(tmp_path)


def weights_of(file: Path) -> np.ndarray:
    net = NetParameter.FromString(file.read_bytes())
    return np.concatenate([np.array(blob.data) for layer in net.layer for blob in layer.blobs])


def write_solver(folder: Path, name: str, more: str = "") -> Path:
    path = folder / f"{name}.prototxt"
    path.write_text(SOLVER.format(folder=folder, name=name, more=more))
    return path


def train(folder: Path, name: str, *flags: str, more: str = "", gpus: int = 1) -> tuple[list[str], np.ndarray]:
    """What the run logs of losses and scores, and the weights that it ends with; beside `gpus` emulated GPUs."""
    solver = write_solver(folder, name, more)
    lines = messages(run(TOOL, "train", f"--solver={solver}", *flags, RXNN_EMULATED_GPUS=str(gpus)))
    kept = [line for line in lines if "loss =" in line or "accuracy =" in line]
    return kept, weights_of(folder / f"{name}_iter_10.caffemodel")


def numbers(lines: list[str]) -> np.ndarray:
    return np.array([float(re.search(r"(?:loss|accuracy) = ([-\d.e]+)", line).group(1)) for line in lines])


def test_trains_and_tests_as_on_the_cpu(tmp_path, model):
    cpu_lines, cpu_weights = train(tmp_path, "cpu")
    gpu_lines, gpu_weights = train(tmp_path, "gpu", "--gpu=0")
    np.testing.assert_allclose(gpu_weights, cpu_weights, rtol=0, atol=tolerance.OTHER_DEVICE)
    np.testing.assert_allclose(numbers(gpu_lines), numbers(cpu_lines), rtol=0, atol=tolerance.OTHER_DEVICE)

    def test(*flags: str) -> list[str]:
        weights = f"--weights={tmp_path}/gpu_iter_10.caffemodel"
        return messages(run(TOOL, "test", f"--model={model}", weights, "--iterations=3", *flags))

    on_cpu, on_gpu = test(), test("--gpu=all")
    assert on_cpu[0] == "Use CPU."
    assert on_gpu[0] == "Use GPU with device ID 0"
    scores = [[line for line in lines if line.startswith("Batch")] for lines in (on_cpu, on_gpu)]
    np.testing.assert_allclose(numbers(scores[1]), numbers(scores[0]), rtol=0, atol=tolerance.OTHER_DEVICE)


def test_trains_on_the_gpu_that_the_solver_asks_for(tmp_path, model):
    _, by_flag = train(tmp_path, "flag", "--gpu=0")
    _, by_solver = train(tmp_path, "solver", more="solver_mode: GPU device_id: 0")
    np.testing.assert_array_equal(by_solver, by_flag)


def test_crossbars_count_conversions_on_the_gpu_too(tmp_path, model):
    train(tmp_path, "plain")
    weights = f"--weights={tmp_path}/plain_iter_10.caffemodel"
    write_net(tmp_path, "CrossbarConvolution", "crossbar_param { rows: 16 cols: 16 adc_bits: 6 }")

    def counts(*flags: str) -> list[str]:
        lines = messages(run(TOOL, "test", f"--model={model}", weights, "--iterations=2", *flags))
        return [line for line in lines if "adc_conversions" in line]

    assert len(counts()) == 1
    assert counts("--gpu=0") == counts()


@pytest.mark.parametrize("gpus", [2, 3])
def test_several_gpus_share_the_batches_of_a_test(tmp_path, model, gpus):
    train(tmp_path, "plain")

    def test(*flags: str) -> list[str]:
        weights = f"--weights={tmp_path}/plain_iter_10.caffemodel"
        # Seven batches: the last round is not full.
        done = run(TOOL, "test", f"--model={model}", weights, "--iterations=7", *flags, RXNN_EMULATED_GPUS=str(gpus))
        lines = messages(done)
        return lines[lines.index("Running for 7 iterations.") :]

    def scores(flag: str) -> list[str]:
        return [line for line in test(flag) if re.match(r"Batch|Loss|loss|accuracy|conv: adc", line)]

    write_net(tmp_path, "CrossbarConvolution", "crossbar_param { rows: 16 cols: 16 adc_bits: 6 }")
    one = scores("--gpu=0")
    assert len(one) == 2 * 7 + 3 + 1
    assert scores("--gpu=all") == one
    assert scores("--gpu=" + ",".join(str(gpu) for gpu in reversed(range(gpus)))) == one


def test_several_gpus_train_as_one_with_larger_batches(tmp_path, model):
    write_net(tmp_path, batch=6, drawn="true")
    _, large = train(tmp_path, "large", "--gpu=0")
    write_net(tmp_path, batch=2, drawn="true")
    lines, small = train(tmp_path, "small", "--gpu=0,2,1", gpus=3)
    np.testing.assert_allclose(small, large, rtol=0, atol=tolerance.OTHER_DEVICE)
    assert sum(line.startswith("Iteration") for line in lines) == 11  # one solver tells


def test_says_which_layers_keep_a_test_on_one_gpu(tmp_path, model):
    train(tmp_path, "plain")
    write_net(tmp_path, "CrossbarConvolution", "crossbar_param { rows: 16 cols: 16 adc_range: CALIBRATED }")
    weights = f"--weights={tmp_path}/plain_iter_10.caffemodel"
    done = run(TOOL, "test", f"--model={model}", weights, "--gpu=0,1", RXNN_EMULATED_GPUS="2")
    assert done.returncode == 1
    assert "layer 'conv' (CrossbarConvolution): what it does with a batch depends on the batches before" in done.stderr


def test_times_layers(model):
    lines = messages(run(TOOL, "time", f"--model={model}", "--iterations=1", "--gpu=0"))
    assert any("Average Forward-Backward" in line for line in lines)


def test_says_what_gpus_there_are():
    assert "host emulation" in messages(run(TOOL, "device_query", "--gpu=all"))[-1]
    both = messages(run(TOOL, "device_query", "--gpu=all", RXNN_EMULATED_GPUS="2"))[-2:]
    assert [line.split(",")[0] for line in both] == ["Device id: 0", "Device id: 1"]
    assert "on GPUs" in messages(run(TOOL, "device_query"))[-1]


def test_says_what_is_wrong(model):
    def of(gpu: str) -> str:
        done = run(TOOL, "time", f"--model={model}", f"--gpu={gpu}")
        assert done.returncode == 1, done.stderr
        return done.stderr

    assert "there is no GPU 1: there are 1, numbered from 0" in of("1")
    assert "GPU 0 is named twice" in of("0,0")
    assert "--gpu=x: expected numbers of GPUs, separated by commas, or 'all'" in of("x")
    assert "--gpu=0,: expected numbers" in of("0,")
