"""rxnn evaluate: outputs plain and on hardware, and the causes of a drop."""

import json

import numpy as np
import pytest

import caffe
import rxnn
from caffe.proto.caffe_pb2 import CrossbarParameter
from rxnn.evaluate import causes

PERFECT = "weight_bits: 16 input_bits: 16 adc_bits: 0 r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0"
HOPELESS = "weight_bits: 2 cell_bits: 1 input_bits: 1 adc_bits: 2"


def test_plain_is_what_the_net_computes(lenet):
    evaluation = rxnn.evaluate(*lenet, ["ideal"], iterations=2)
    net = caffe.Net(lenet[0], caffe.TEST, weights=lenet[1])
    sums = dict.fromkeys(net.outputs, 0.0)
    for _ in range(2):
        for name, value in net.forward().items():
            sums[name] += float(value)
    assert evaluation.plain.outputs == pytest.approx({name: total / 2 for name, total in sums.items()})
    assert set(evaluation.plain.outputs) == {"accuracy", "loss"}
    assert evaluation.losses == {"loss"}
    assert evaluation.plain.outputs["accuracy"] > 0.95


def test_hardware_decides_the_drop(lenet):
    evaluation = rxnn.evaluate(*lenet, [PERFECT, HOPELESS], iterations=2)
    perfect, hopeless = evaluation.on_hardware
    assert perfect.outputs["loss"] == pytest.approx(evaluation.plain.outputs["loss"], rel=1e-3)
    assert evaluation.drop(perfect, "accuracy") == pytest.approx(0, abs=1e-6)
    assert evaluation.drop(hopeless, "accuracy") > 0.1
    assert evaluation.drop(hopeless, "accuracy") == pytest.approx(
        evaluation.plain.outputs["accuracy"] - hopeless.outputs["accuracy"]
    )


def test_one_hardware_needs_no_list(lenet, tmp_path):
    path = tmp_path / "chip.prototxt"
    path.write_text("rows: 32")
    (expected,) = rxnn.evaluate(*lenet, ["rows: 32"], iterations=1).on_hardware
    for chip in ("rows: 32", path, CrossbarParameter(rows=32)):
        (result,) = rxnn.evaluate(*lenet, chip, iterations=1).on_hardware
        assert result.outputs == expected.outputs


def test_saturation_is_shown(lenet, run_rxnn, tmp_path):
    narrow = "adc_range: GIVEN adc_max_ampere: 5e-6"
    evaluation = rxnn.evaluate(*lenet, ["rram_64x64", narrow, "ideal"], iterations=1)
    wide, saturated, ideal = evaluation.on_hardware
    assert wide.saturated_overall == 0
    assert set(saturated.saturated) == {"conv1", "conv2", "ip1", "ip2"}
    assert 0.001 < saturated.saturated_overall < 1
    assert max(saturated.saturated.values()) > saturated.saturated_overall > min(saturated.saturated.values())
    assert ideal.saturated == {}
    assert ideal.saturated_overall is None
    assert evaluation.plain.saturated_overall is None
    model = ("--model", lenet[0], "--weights", lenet[1], "--iterations", 1)
    status, out, err = run_rxnn("evaluate", *model, "--hardware", narrow, "--json", tmp_path / "r.json")
    assert status == 0, err
    assert "ADC saturated" in out
    assert f"{saturated.saturated_overall:.2%} (" in out
    (entry,) = json.loads((tmp_path / "r.json").read_text())["hardware"]
    assert entry["adc_saturated"] == pytest.approx(saturated.saturated_overall)
    assert entry["adc_saturated_layers"] == pytest.approx(saturated.saturated)


def test_only_chosen_layers_are_on_crossbars(lenet):
    chip = "weight_bits: 3 cell_bits: 2"
    everything = rxnn.evaluate(*lenet, [chip], iterations=1)
    one = rxnn.evaluate(*lenet, [chip], iterations=1, layers="^ip2$")
    rest = rxnn.evaluate(*lenet, [chip], iterations=1, exclude="^(conv1|conv2|ip1)$")
    assert one.on_hardware[0].outputs == rest.on_hardware[0].outputs
    assert one.on_hardware[0].outputs != everything.on_hardware[0].outputs


def test_converted_files_give_the_same(lenet, tmp_path):
    out = tmp_path / "o.prototxt", tmp_path / "o.caffemodel"
    rxnn.convert(*lenet, "rram_64x64", *out)
    evaluation = rxnn.evaluate(*lenet, ["rram_64x64"], iterations=1)
    net = caffe.Net(out[0], caffe.TEST, weights=out[1])
    assert float(net.forward()["loss"]) == evaluation.on_hardware[0].outputs["loss"]


def test_causes_add_up_to_the_hardware():
    chip = rxnn.load_hardware(
        "rows: 32 adc_bits: 6 r_sink_ohm: 50 conductance_sigma: 0.1 stuck_off_rate: 0.01 read_noise_sigma: 0.02 seed: 4"
    )
    steps = causes(chip)
    assert [label for label, _ in steps] == ["quantisation", "+ converters", "+ wires", "+ cells"]
    quantised, adc, wires, variation = (step for _, step in steps)
    assert quantised.rows == 32
    assert (quantised.adc_bits, quantised.r_sink_ohm, quantised.r_source_ohm, quantised.conductance_sigma) == (
        0,
        0,
        0,
        0,
    )
    assert (adc.adc_bits, adc.r_sink_ohm) == (6, 0)
    assert (wires.r_sink_ohm, wires.r_source_ohm, wires.conductance_sigma) == (50, 500, 0)
    assert variation.conductance_sigma == chip.conductance_sigma
    for field in chip.DESCRIPTOR.fields:
        assert getattr(variation, field.name) == getattr(chip, field.name), field.name


def test_causes_know_the_fields_that_are_lists():
    chip = rxnn.load_hardware(
        "cols: 3 r_wordline_segment_ohm: [1, 2] wordline_driven: BOTH_ENDS level_siemens: [1e-6, 2e-6, 4e-6, 8e-6]"
        " fault { row: 1 } cell_type: ONE_T_ONE_R drift_time_second: 10 drift_nu: 0.1"
    )
    quantised, adc, wires, cells = (step for _, step in causes(chip))
    for step in (quantised, adc):
        assert not (step.r_wordline_segment_ohm or step.level_siemens or step.fault)
        assert step.drift_time_second == 0
        assert step.r_on_ohm == pytest.approx(1 / 8e-6)
        assert step.r_off_ohm == pytest.approx(1e6)
    assert list(wires.r_wordline_segment_ohm) == [1, 2]
    assert wires.wordline_driven == CrossbarParameter.BOTH_ENDS
    assert not wires.level_siemens
    assert wires.cell_type == CrossbarParameter.ONE_R
    assert cells == chip


def test_take_apart_ends_at_the_hardware(lenet):
    chip = "adc_bits: 4 r_wordline_ohm: 30 r_bitline_ohm: 30 conductance_sigma: 0.1"
    apart = rxnn.take_apart(*lenet, chip, iterations=1)
    whole = rxnn.evaluate(*lenet, [chip], iterations=1)
    assert apart.on_hardware[-1].outputs == whole.on_hardware[0].outputs
    losses = [result.outputs["loss"] for result in apart.on_hardware]
    assert len(set(losses)) == 4


def test_progress_counts_every_iteration(lenet):
    calls = []
    rxnn.evaluate(*lenet, ["ideal"], iterations=2, progress=lambda *call: calls.append(call))
    assert calls == [("plain", 50, 100), ("plain", 100, 100), ("ideal", 50, 100), ("ideal", 100, 100)]


def test_speed_is_that_of_the_images(lenet):
    evaluation = rxnn.evaluate(*lenet, ["r_wordline_ohm: 3"], iterations=2)
    plain, chip = evaluation.plain, *evaluation.on_hardware
    assert plain.images == chip.images == 100
    assert plain.images_per_second == pytest.approx(100 / plain.seconds)
    # Without the extraction of the arrays, which is most of a chip's first batch.
    assert chip.images_per_second > 100 / chip.seconds


def test_a_database_can_be_read_again(lenet, tmp_path):
    # Every run opens the net's data anew, in one process.
    evaluation = rxnn.evaluate(*lenet, ["ideal", "rows: 32", "rows: 16"], iterations=1)
    assert len(evaluation.on_hardware) == 3


class TestCommand:
    def test_takes_several_chips_in_both_ways(self, lenet, run_rxnn, tmp_path):
        chip = tmp_path / "chip.prototxt"
        chip.write_text("rows: 32")
        model = ("--model", lenet[0], "--weights", lenet[1], "--iterations", 1)
        status, out, err = run_rxnn(
            "evaluate", *model, "--hardware", "ideal", chip, "--hardware", "rram_64x64", "--json", tmp_path / "r.json"
        )
        assert status == 0, err
        for word in ("plain", "ideal", "chip", "rram_64x64", "accuracy", "drop", "loss", "rise"):
            assert word in out
        report = json.loads((tmp_path / "r.json").read_text())
        assert {entry["hardware"] for entry in report["hardware"]} == {"ideal", "chip", "rram_64x64"}
        for entry in report["hardware"]:
            for output, value in entry["outputs"].items():
                assert entry["drop"][output] == pytest.approx(report["plain"]["outputs"][output] - value)

    def test_explains_a_drop(self, lenet, run_rxnn):
        model = ("--model", lenet[0], "--weights", lenet[1], "--iterations", 1)
        status, out, err = run_rxnn("evaluate", *model, "--hardware", "analog_64x64", "--explain")
        assert status == 0, err
        for word in ("quantisation", "+ converters", "+ wires", "+ cells"):
            assert word in out

    def test_mistakes_are_one_line(self, lenet, fails, tmp_path):
        model = ("--model", lenet[0], "--weights", lenet[1])
        assert "nowhere" in fails("evaluate", *model, "--hardware", "nowhere")
        assert "rows" in fails("evaluate", *model, "--hardware", "ideal", "rows: 0")
        assert "iterations" in fails("evaluate", *model, "--hardware", "ideal", "--iterations", 0)
        assert "one hardware" in fails("evaluate", *model, "--hardware", "ideal", "ideal", "--explain")
        assert "--hardware" in fails("evaluate", *model)
        report = ("--json", tmp_path / "nowhere" / "r.json")
        assert "there is no folder" in fails("evaluate", *model, "--hardware", "nowhere", *report)
        fault = "fault { layer: 'nolayer' col: 1 }"
        for options in (("ideal", fault), (fault, "--explain")):
            message = fails("evaluate", *model, "--hardware", *options)
            assert "fault[0]: layer 'nolayer'" in message
            assert "conv1, conv2, ip1, ip2" in message
        text = lenet[0].read_text()
        bad = tmp_path / "bad.prototxt"
        bad.write_text(text.replace('"Pooling"', '"Poolling"', 1))
        assert "'Poolling'" in fails("evaluate", "--model", bad, "--weights", lenet[1], "--hardware", "ideal")
        bad.write_text(
            text.replace('"loss"', '"x"').replace("SoftmaxWithLoss", "Softmax").replace("Accuracy", "Concat")
        )
        assert fails("evaluate", "--model", bad, "--weights", lenet[1], "--hardware", "ideal")

    def test_nets_without_scalar_outputs_are_refused(self, fails, tmp_path):
        path = tmp_path / "net.prototxt"
        path.write_text(
            'layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 2 dim: 3 } } }\n'
            'layer { name: "ip" type: "InnerProduct" bottom: "d" top: "scores" inner_product_param { num_output: 4 } }'
        )
        caffe.Net(path, caffe.TEST).save(tmp_path / "w.caffemodel")
        message = fails("evaluate", "--model", path, "--weights", tmp_path / "w.caffemodel", "--hardware", "ideal")
        assert "no scalar output" in message
        assert "scores" in message


def test_squeezenet_survives_ideal_hardware(real_data, tmp_path):
    folder = real_data / "squeezenet"
    names = [line.split() for line in (real_data / "imagenet1000" / "labels.txt").read_text().splitlines()][:20]
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"{name} {label}\n" for name, label in names))
    text = (folder / "deploy.prototxt").read_text()
    head = text.index("layer {", text.index("layer {") + 1)
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "data" type: "ImageData" top: "data" top: "label"\n'
        "  transform_param { crop_size: 227 mean_value: 104 mean_value: 117 mean_value: 123 }\n"
        f'  image_data_param {{ source: "{listing}" root_folder: "{real_data}/imagenet1000/" batch_size: 20 }} }}\n'
        + text[head:]
        + 'layer { name: "top5" type: "Accuracy" bottom: "pool10" bottom: "label" top: "top5"'
        " accuracy_param { top_k: 5 } }\n"
    )
    evaluation = rxnn.evaluate(path, folder / "squeezenet_v1.0.caffemodel", ["ideal"], iterations=1)
    assert evaluation.plain.outputs["top5"] > 0.7
    assert np.abs(evaluation.drop(evaluation.on_hardware[0], "top5")) <= 0.05 + 1e-6
