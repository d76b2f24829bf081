"""The caffe command as a user meets it: what it prints, in which order, and what it says when something is wrong."""

import math
import re
from pathlib import Path

import pytest

from caffe.proto.caffe_pb2 import NetParameter
from caffe_command import caffe, error, messages

# Inputs are 0, so that the scores are the biases, whatever the batch.
NET = """
name: "tiny"
layer { name: "data" type: "Input" top: "data" top: "label"
        input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "zloss" loss_weight: 0.5 }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "mean" type: "InnerProduct" bottom: "data" top: "mean" include { stage: "extra" }
        inner_product_param { num_output: 1 bias_filler { value: 3 } } }
"""
BIAS = [1.5, 0.25]


def write_weights(path: Path, weights: list[float], shape: list[int], bias: list[float] | None = None) -> Path:
    net = NetParameter(name="tiny")
    layer = net.layer.add(name="ip", type="InnerProduct")
    blob = layer.blobs.add(data=weights)
    blob.shape.dim.extend(shape)
    bias = BIAS if bias is None else bias
    layer.blobs.add(data=bias).shape.dim.append(len(bias))
    path.write_bytes(net.SerializeToString())
    return path


@pytest.fixture
def model(tmp_path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path


@pytest.fixture
def weights(tmp_path) -> Path:
    return write_weights(tmp_path / "net.caffemodel", [0.5] * 6, [2, 3])


def test_prints_batches_then_means(model, weights):
    lines = messages(caffe("test", f"--model={model}", f"--weights={weights}", "--iterations=3"))
    assert lines[0] == "Use CPU."
    lines = lines[lines.index("Network initialization done.") :]
    loss = math.log(1 + math.exp(BIAS[1] - BIAS[0]))  # label 0
    batch = ["accuracy = 1", f"zloss = {loss:.6g}"]
    assert lines == [
        "Network initialization done.",
        "Running for 3 iterations.",
        *(f"Batch {i}, {output}" for i in range(3) for output in batch),
        f"Loss: {loss / 2:.6g}",
        "accuracy = 1",
        f"zloss = {loss:.6g} (* 0.5 = {loss / 2:.6g} loss)",
    ]


def test_prints_what_layers_counted(tmp_path, model, weights):
    plain = messages(caffe("test", f"--model={model}", f"--weights={weights}", "--iterations=2"))
    crossbar = NET.replace(
        'name: "ip" type: "InnerProduct"',
        'name: "ip" type: "CrossbarInnerProduct" crossbar_param { adc_range: GIVEN adc_max_ampere: 1e-3 }',
        1,
    )
    model.write_text(crossbar)
    lines = messages(caffe("test", f"--model={model}", f"--weights={weights}", "--iterations=2"))
    # 2 batches of 4 vectors, 2 outputs, 8 streams, 4 slices, 2 signs
    assert "ip: adc_conversions = 1024, adc_saturated_low = 0, adc_saturated_high = 0" in lines
    assert not any("adc_" in line for line in plain)


def test_prints_every_element_of_an_output(tmp_path):
    model = tmp_path / "net.prototxt"
    model.write_text(NET.split('layer { name: "loss"')[0])
    weights = write_weights(tmp_path / "net.caffemodel", [0.5] * 6, [2, 3])
    lines = messages(caffe("test", "-model", model, "-weights", weights, "-iterations", "2"))
    values = [f"{value:.6g}" for _ in range(4) for value in BIAS]
    assert [line for line in lines if line.startswith("Batch 1, ip")] == [f"Batch 1, ip = {v}" for v in values]
    assert [line for line in lines if line.startswith("ip = ")] == [f"ip = {v}" for v in values]
    assert "Loss: 0" in lines


def test_stage_and_level_choose_layers(model, weights):
    plain = messages(caffe("test", f"--model={model}", f"--weights={weights}", "--iterations=1"))
    staged = messages(
        caffe("test", f"--model={model}", f"--weights={weights}", "--iterations=1", "--stage=other,extra")
    )
    assert not any(line.startswith("mean = ") for line in plain)
    assert "mean = 3" in staged


def test_default_is_50_iterations(model, weights):
    lines = messages(caffe("test", f"--model={model}", f"--weights={weights}"))
    assert "Running for 50 iterations." in lines
    assert "Batch 49, accuracy = 1" in lines


def test_time_prints_every_layer(model):
    lines = messages(caffe("time", f"--model={model}", "--iterations=2"))
    number = r"[\d.e+-]+"
    layers = ["data", "ip", "loss"]  # accuracy is for TEST, and the default is TRAIN
    expected = [
        "Performing Forward",
        f"Initial loss: {number}",
        "Performing Backward",
        r"\*\*\* Benchmark begins \*\*\*",
        r"Testing for 2 iterations\.",
        *(rf"Iteration: {k} forward-backward time: {number} ms\." for k in (1, 2)),
        "Average time per layer: ",
        *(rf"{layer:>10}\t{direction}: {number} ms\." for layer in layers for direction in ("forward", "backward")),
        rf"Average Forward pass: {number} ms\.",
        rf"Average Backward pass: {number} ms\.",
        rf"Average Forward-Backward: {number} ms\.",
        rf"Total Time: {number} ms\.",
        r"\*\*\* Benchmark ends \*\*\*",
    ]
    lines = lines[lines.index("Performing Forward") :]
    assert len(lines) == len(expected), lines
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)


def test_time_splits_crossbar_layers(model):
    model.write_text(NET.replace('type: "InnerProduct"', 'type: "CrossbarInnerProduct"', 1))
    lines = messages(caffe("time", f"--model={model}", "--iterations=3"))
    parts = ["quantize/pack", "VMM+ADC", "rest"]
    split = [line for line in lines if line.startswith("        ip\tforward, ")]
    assert [line.split(", ")[1].split(":")[0] for line in split] == parts
    number = r"([\d.e+-]+) ms\."
    (whole,) = (float(m[1]) for line in lines if (m := re.fullmatch(rf"        ip\tforward: {number}", line)))
    times = [float(re.search(number, line)[1]) for line in split]
    assert sum(times) == pytest.approx(whole, rel=1e-3)
    assert min(times) > 0
    totals = [line for line in lines if line.startswith("Average Forward pass, ")]
    assert [float(re.search(number, line)[1]) for line in totals] == times
    assert [line.split(", ")[1].split(" of ")[0] for line in totals] == parts


def test_hardware_of_a_plain_layer_is_said_in_a_warning(model):
    model.write_text(NET.replace('type: "InnerProduct"', 'type: "InnerProduct" crossbar_param { rows: 8 }', 1))
    log = caffe("time", f"--model={model}", "--iterations=1").stderr
    assert "layer 'ip' has a crossbar_param, which only crossbar layers read, not InnerProduct" in log
    assert log.count("has a crossbar_param") == 1


def test_time_takes_weights(model, weights):
    assert "File not found: nofile" in error("time", f"--model={model}", "--weights=nofile")
    lines = messages(caffe("time", f"--model={model}", f"--weights={weights}", "--iterations=1"))
    assert "Initial loss: nan" not in lines
    bad = write_weights(model.parent / "bad.caffemodel", [float("nan")] * 6, [2, 3])
    lines = messages(caffe("time", f"--model={model}", f"--weights={bad}", "--iterations=1"))
    assert any(re.fullmatch("Initial loss: -?nan", line) for line in lines)


def test_time_fills_inputs_but_labels(model):
    model.write_text("""
layer { name: "in" type: "Input" top: "x" top: "cut" top: "label"
        input_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "sum" type: "Reduction" bottom: "x" top: "sum" reduction_param { operation: SUMSQ } loss_weight: 1 }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "cut" bottom: "label" top: "loss" loss_weight: 0 }
layer { name: "accuracy" type: "Accuracy" bottom: "cut" bottom: "label" top: "accuracy" }
""")
    lines = messages(caffe("time", f"--model={model}", "--iterations=1"))
    assert [line for line in lines if "random" in line] == [f"Input {x} holds random numbers." for x in ("x", "cut")]
    (loss,) = (float(line.split(": ")[1]) for line in lines if line.startswith("Initial loss"))
    assert loss > 0


def test_time_without_gradients(model):
    stored = 'type: "CrossbarInnerProduct" crossbar_param { conductance: STORED rows: 4 cols: 4 }'
    model.write_text(NET.replace('type: "InnerProduct"', stored, 1))
    done = caffe("time", f"--model={model}", "--iterations=2")
    assert (
        "Forward alone is timed: layer 'ip' (CrossbarInnerProduct): stored conductances have no gradient" in done.stderr
    )
    lines = messages(done)
    assert any(re.match(r"Iteration: 2 forward time: ", line) for line in lines)
    assert not any("backward:" in line or "Average Backward" in line for line in lines)


def test_time_takes_the_phase(model):
    lines = messages(caffe("time", f"--model={model}", "--iterations=1", "--phase=TEST"))
    assert any(line.startswith("  accuracy\tforward: ") for line in lines)


def test_device_query():
    assert "Querying GPUs" in messages(caffe("device_query"))[0]


def test_usage_help_and_version():
    done = caffe()
    assert done.returncode == 0
    assert "usage: caffe ACTION" in done.stdout
    for arguments in (("--help",), ("-h",), ("time", "--help")):
        helped = caffe(*arguments)
        assert (helped.returncode, helped.stdout, helped.stderr) == (0, done.stdout, "")
    for flag in ("gpu", "iterations", "level", "model", "phase", "stage", "weights"):
        assert f"    -{flag} (" in done.stdout
    assert "-logtostderr" not in done.stdout
    assert "takes one action, got 2: test, time; flags begin with --" in error("test", "time")
    done = caffe("--version")
    assert (done.returncode, done.stdout) == (0, "caffe version 1.0.0\n")


def test_the_error_is_in_the_log_file_too(tmp_path):
    done = caffe("test", "--model=no.prototxt", "--weights=w", GLOG_logtostderr="0", GLOG_log_dir=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "caffe: error: File not found: w"
    assert "File not found: w" in (tmp_path / "caffe.ERROR").read_text()


def test_unknown_action():
    assert "Unknown action: tset (known actions: device_query, test, time" in error("tset")


def test_unknown_flag(model):
    done = caffe("time", f"--model={model}", "--iteration=3")
    assert done.returncode == 1
    assert "unknown command line flag 'iteration'" in done.stderr


def test_missing_flags(model, weights):
    assert "--model" in error("test", f"--weights={weights}")
    assert "--weights" in error("test", f"--model={model}")
    assert "--model" in error("time")


def test_iterations_must_be_positive(model, weights):
    assert "--iterations is 0" in error("time", f"--model={model}", "--iterations=0")
    assert "--iterations is -1" in error("test", f"--model={model}", f"--weights={weights}", "--iterations=-1")


def test_wrong_phase(model):
    assert 'phase must be "TRAIN" or "TEST", not "DEPLOY"' in error("time", f"--model={model}", "--phase=DEPLOY")


def test_gpu_of_a_build_without(model, weights):
    message = error("test", f"--model={model}", f"--weights={weights}", "--gpu=0")
    assert "--gpu=0: this build has no GPU support" in message


def test_missing_files(tmp_path, model, weights):
    assert "File not found: no.prototxt" in error("test", "--model=no.prototxt", f"--weights={weights}")
    assert "File not found: no.caffemodel" in error("test", f"--model={model}", "--weights=no.caffemodel")
    assert f"found a directory: {tmp_path}" in error("time", f"--model={tmp_path}")


def test_truncated_weights(tmp_path, model, weights):
    whole = weights.read_bytes()
    for name, part in (("cut", whole[:-5]), ("text", b"layer { }"), ("h5.h5", whole)):
        path = tmp_path / name
        path.write_bytes(part)
        message = error("test", f"--model={model}", f"--weights={path}")
        assert str(path) in message
        assert "truncated" in message


def test_prototxt_syntax_errors_have_line_and_column(tmp_path, weights):
    model = tmp_path / "net.prototxt"
    for text, place, what in (
        ('name: "x"\nlayer {\n  name "ip" }\n', "3:8", 'Expected ":"'),
        ("name: 'x'\nlayer { nmae: 'ip' }\n", "2:13", 'no field named "nmae"'),
        ("layer { name: 'ip' phase: TRIAN }\n", "1:33", "TRIAN"),
        ("layer {\n", "2:1", "Expected identifier"),
    ):
        model.write_text(text)
        message = error("test", f"--model={model}", f"--weights={weights}")
        assert "Failed to parse NetParameter" in message
        assert f"{model}:{place}: " in message
        assert what in message
    # Several errors are one line.
    model.write_text("name: \x01\x02 'x' 1.5.5\n")
    done = caffe("test", f"--model={model}", f"--weights={weights}")
    message = done.stderr.partition("caffe: error: ")[2]
    assert message.count(f"{model}:1:") > 1
    assert message.count("\n") == 1


def test_unknown_layer_type(tmp_path, weights):
    model = tmp_path / "net.prototxt"
    model.write_text(NET.replace('"InnerProduct"', '"InnerProdukt"'))
    message = error("test", f"--model={model}", f"--weights={weights}")
    assert "Unknown layer type: InnerProdukt (known types: " in message
    assert ", InnerProduct, " in message


def test_bottom_that_no_layer_makes(tmp_path, weights):
    model = tmp_path / "net.prototxt"
    model.write_text(NET.replace('bottom: "data" top: "ip"', 'bottom: "dada" top: "ip"'))
    message = error("test", f"--model={model}", f"--weights={weights}")
    assert "Unknown bottom blob 'dada' (layer 'ip')" in message
    assert "there are 'data' 'label'" in message


def test_weights_of_the_wrong_shape(tmp_path, model):
    path = tmp_path / "wrong.caffemodel"
    write_weights(path, [0.5] * 8, [2, 4])
    message = error("test", f"--model={model}", f"--weights={path}")
    assert "layer 'ip'" in message
    assert "2 4 (8)" in message
    assert "2 3 (6)" in message
    write_weights(path, [0.5] * 5, [2, 3])  # fewer values than the shape says
    message = error("test", f"--model={model}", f"--weights={path}")
    assert "layer 'ip'" in message
    assert "5" in message


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("rows", "0", "1"),
        ("r_sink_ohm", "-5", "0"),
        ("r_off_ohm", "10", "r_on_ohm"),
        ("cell_bits", "9", "weight_bits"),
        ("stuck_on_rate", "1.5", "1"),
    ],
)
def test_impossible_hardware(tmp_path, weights, field, value, allowed):
    model = tmp_path / "net.prototxt"
    model.write_text(NET.replace('"InnerProduct"', f'"CrossbarInnerProduct" crossbar_param {{ {field}: {value} }}', 1))
    message = error("test", f"--model={model}", f"--weights={weights}")
    for part in ("layer 'ip'", field, value, allowed):
        assert part in message, message
