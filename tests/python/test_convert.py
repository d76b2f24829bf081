"""rxnn convert: what becomes of models and weights, and what is refused before any work starts."""

import json
import sys

import h5py
import numpy as np
import pytest
from google.protobuf import text_format

import caffe
import rxnn
from caffe.proto.caffe_pb2 import CrossbarParameter, NetParameter
from rxnn import weights as weight_files

NET = """
name: "grouped"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 4 dim: 7 dim: 6 } } }
layer { name: "block/conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 6 kernel_size: 3 pad: 1 stride: 2 group: 2
                            weight_filler { type: "gaussian" std: 0.3 } bias_filler { type: "gaussian" std: 0.1 } } }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { filler { type: "gaussian" std: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
        inner_product_param { num_output: 5 bias_term: false weight_filler { type: "gaussian" std: 0.3 } } }
layer { name: "ipt" type: "InnerProduct" bottom: "ip" top: "ipt"
        inner_product_param { num_output: 3 transpose: true weight_filler { type: "gaussian" std: 0.3 } } }
"""
# Small arrays, so that every matrix is cut; everything that a chip can do to a result.
CHIP = (
    "rows: 16 cols: 4 conductance_sigma: 0.05 stuck_on_rate: 0.01 read_noise_sigma: 0.01 seed: 7"
    " r_wordline_ohm: 20 r_bitline_ohm: 20"
)


@pytest.fixture
def model(tmp_path):
    """Prototxt and weights."""
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    caffe.set_random_seed(5)
    caffe.Net(path, caffe.TEST).save(tmp_path / "net.caffemodel")
    return path, tmp_path / "net.caffemodel"


@pytest.fixture
def images(rng):
    return rng.normal(size=(2, 4, 7, 6)).astype(np.float32)


def read_text(path):
    return text_format.Parse(path.read_text(), NetParameter())


def outputs(path, weights, images):
    net = caffe.Net(path, caffe.TEST, weights=weights)
    return {name: out.copy() for name, out in net.forward(blobs=["conv", "ip", "ipt"], data=images).items()}


@pytest.mark.parametrize("suffix", ["caffemodel", "caffemodel.h5"])
@pytest.mark.parametrize("hardware", [CHIP, CHIP + " signed_weights: OFFSET", "ideal", "analog_64x64"])
def test_stored_equals_from_weights_bit_for_bit(model, images, tmp_path, hardware, suffix):
    stored, online = tmp_path / "stored.prototxt", tmp_path / "online.prototxt"
    stored_weights, online_weights = tmp_path / f"stored.{suffix}", tmp_path / f"online.{suffix}"
    rxnn.convert(*model, hardware, stored, stored_weights)
    rxnn.convert(*model, hardware, online, online_weights, online=True)
    assert all(
        layer.crossbar_param.conductance == CrossbarParameter.STORED
        for layer in read_text(stored).layer
        if layer.HasField("crossbar_param")
    )
    from_stored, from_online = outputs(stored, stored_weights, images), outputs(online, online_weights, images)
    for name, values in from_online.items():
        np.testing.assert_array_equal(from_stored[name], values)
    plain = outputs(*model, images)
    assert np.any(plain["ipt"] != from_online["ipt"])


def test_stored_conductances_are_refused_by_other_hardware(model, images, tmp_path):
    """What is programmed must be what was converted; converters and inputs may change."""
    path, weights = tmp_path / "xbar.prototxt", tmp_path / "xbar.caffemodel"
    rxnn.convert(*model, CHIP, out_model=path, out_weights=weights)
    text = path.read_text()
    changes = {"r_wordline_ohm: 20": "r_wordline_ohm: 21", "seed: 7": "seed: 8", "conductance_sigma: 0.05": ""}
    for old, new in changes.items():
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(caffe.Error, match=r"'block/conv' .*its stored conductances are those of ") as refusal:
            outputs(path, weights, images)
        assert f"{old}, the network says {new.partition(': ')[2] or 0};" in str(refusal.value)
    path.write_text(text.replace("seed: 7", "seed: 7 adc_bits: 6 dac_bits: 2 input_range: 3"))
    outputs(path, weights, images)


def test_many_bits_come_close_to_the_plain_network(model, images, tmp_path):
    out = tmp_path / "out.prototxt", tmp_path / "out.caffemodel"
    ideal = (
        "weight_bits: 16 input_bits: 16 adc_bits: 0 r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0"
    )
    rxnn.convert(*model, ideal, *out)
    plain, crossbar = outputs(*model, images), outputs(*out, images)
    for name, values in plain.items():  # three layers of 16-bit rounding
        np.testing.assert_allclose(crossbar[name], values, atol=1e-3 * np.abs(values).max())


def test_types_and_blobs(model, tmp_path):
    out = tmp_path / "out.prototxt", tmp_path / "out.caffemodel"
    reports = rxnn.convert(*model, "rram_64x64", *out)
    types = {layer.name: layer.type for layer in read_text(out[0]).layer}
    assert types == {
        "data": "Input",
        "block/conv": "CrossbarConvolution",
        "scale": "Scale",
        "ip": "CrossbarInnerProduct",
        "ipt": "CrossbarInnerProduct",
    }
    net = caffe.Net(out[0], caffe.TEST, weights=out[1])
    assert [blob.shape for blob in net.params["block/conv"]] == [(2, 2, 4, 18, 3), (6,), (6,)]
    assert [blob.shape for blob in net.params["ip"]] == [(1, 2, 4, 72, 5), (5,)]
    assert [blob.shape for blob in net.params["ipt"]] == [(1, 2, 4, 5, 3), (3,), (3,)]
    plain = caffe.Net(model[0], caffe.TEST, weights=model[1])
    np.testing.assert_array_equal(net.params["scale"][0].data, plain.params["scale"][0].data)
    np.testing.assert_array_equal(net.params["block/conv"][2].data, plain.params["block/conv"][1].data)
    conv = reports[0]
    assert (conv.layer, conv.groups, conv.rows, conv.columns) == ("block/conv", 2, 18, 3)
    assert (conv.tiles, conv.arrays) == (2, 16)
    assert conv.utilisation == pytest.approx(2 * 18 * 3 / (2 * 64 * 64))
    assert 0 < conv.mean_relative_change < conv.worst_relative_change < 1


def test_groups_share_arrays(model, tmp_path, images, run_rxnn):
    apart, packed = (tmp_path / f"{name}.prototxt" for name in ("apart", "packed"))
    ideal = "r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0"
    rxnn.convert(*model, ideal, apart, tmp_path / "apart.caffemodel")
    options = ("--model", model[0], "--weights", model[1], "--out-model", packed)
    hardware = f"{ideal} group_packing: BLOCK_DIAGONAL"
    status, out, err = run_rxnn(
        *("convert", *options, "--out-weights", tmp_path / "packed.caffemodel"),
        *("--hardware", hardware, "--json", tmp_path / "r.json"),
    )
    assert status == 0, err
    assert "unpacked" in out
    conv, ip, _ = json.loads((tmp_path / "r.json").read_text())["layers"]
    assert (conv["tiles"], conv["arrays"], conv["arrays_without_packing"]) == (1, 8, 16)
    assert conv["utilisation"] == pytest.approx(2 * 18 * 3 / (64 * 64))
    assert ip["arrays"] == ip["arrays_without_packing"]
    net = caffe.Net(packed, caffe.TEST, weights=tmp_path / "packed.caffemodel")
    assert net.params["block/conv"][0].shape == (1, 2, 4, 36, 6)
    expected = outputs(apart, tmp_path / "apart.caffemodel", images)
    for name, values in outputs(packed, tmp_path / "packed.caffemodel", images).items():
        np.testing.assert_array_equal(values, expected[name])


def test_ideal_hardware_changes_no_conductance(model, tmp_path):
    for report in rxnn.convert(*model, "ideal", tmp_path / "o.prototxt", tmp_path / "o.caffemodel"):
        assert report.worst_relative_change == 0


@pytest.mark.parametrize(
    ("layers", "exclude", "converted"),
    [
        ("conv", None, {"block/conv"}),
        ("^ip$", None, {"ip"}),
        (None, "block/", {"ip", "ipt"}),
        ("ip", "t$", {"ip"}),
    ],
)
def test_layers_are_chosen_by_name(model, tmp_path, images, layers, exclude, converted):
    out = tmp_path / "out.prototxt", tmp_path / "out.caffemodel"
    reports = rxnn.convert(*model, "rram_64x64", *out, layers=layers, exclude=exclude)
    assert {report.layer for report in reports} == converted
    assert {layer.name for layer in read_text(out[0]).layer if layer.type.startswith("Crossbar")} == converted
    outputs(*out, images)


def test_online_copies_the_weights(model, tmp_path):
    out = tmp_path / "out.prototxt", tmp_path / "out.caffemodel"
    reports = rxnn.convert(*model, "rram_64x64", *out, online=True)
    assert reports[0].mean_relative_change is None
    net, plain = (caffe.Net(*files[:1], caffe.TEST, weights=files[1]) for files in (out, model))
    for name, blobs in plain.params.items():
        for blob, copy in zip(blobs, net.params[name], strict=True):
            np.testing.assert_array_equal(copy.data, blob.data)


def test_weights_are_read_from_hdf5(model, tmp_path, images):
    weights = tmp_path / "net.caffemodel.h5"
    caffe.Net(model[0], caffe.TEST, weights=model[1]).save_hdf5(weights)
    for name, source in (("a", model[1]), ("b", weights)):
        rxnn.convert(model[0], source, CHIP, tmp_path / f"{name}.prototxt", tmp_path / f"{name}.caffemodel")
    assert (tmp_path / "a.caffemodel").read_bytes() == (tmp_path / "b.caffemodel").read_bytes()


def test_hdf5_is_laid_out_as_the_engine_does(model, tmp_path):
    out = tmp_path / "out.prototxt", tmp_path / "out.caffemodel.h5"
    rxnn.convert(*model, "rram_64x64", *out)
    with h5py.File(out[1]) as file:
        assert set(file["data/block/conv"]) == {"0", "1", "2"}
        assert file["data/block/conv/0"].dtype == np.float32


def test_old_weight_files_are_read(model, tmp_path):
    net = caffe.Net(model[0], caffe.TEST, weights=model[1])
    old = NetParameter()
    for name, kind in (("block/conv", 4), ("ip", 14), ("ipt", 14)):
        layer = old.layers.add(name=name, type=kind)
        for blob in net.params[name]:
            four = (1,) * (4 - len(blob.shape)) + blob.shape
            num, channels, height, width = four
            layer.blobs.add(num=num, channels=channels, height=height, width=width, data=blob.data.ravel())
    (tmp_path / "old.caffemodel").write_bytes(old.SerializeToString())
    text = model[0].read_text()
    text = "\n".join(line for line in text.splitlines() if '"scale"' not in line)
    model[0].write_text(text)
    for name, source in (("new", model[1]), ("old", tmp_path / "old.caffemodel")):
        rxnn.convert(model[0], source, CHIP, tmp_path / f"{name}.o.prototxt", tmp_path / f"{name}.o.caffemodel")
    assert (tmp_path / "new.o.caffemodel").read_bytes() == (tmp_path / "old.o.caffemodel").read_bytes()


def test_progress_covers_all_arrays(model, tmp_path):
    calls = []
    reports = rxnn.convert(
        *model, CHIP, tmp_path / "o.prototxt", tmp_path / "o.caffemodel", progress=lambda *call: calls.append(call)
    )
    total = sum(report.arrays for report in reports)
    assert calls[-1] == ("ipt", total, total)
    done = [call[1] for call in calls]
    assert done == sorted(done)
    assert {call[0] for call in calls} == {"block/conv", "ip", "ipt"}


def test_interrupted_work_leaves_no_file(model, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    for suffix in ("caffemodel", "h5"):
        with pytest.raises(KeyboardInterrupt):
            rxnn.convert(*model, CHIP, tmp_path / "o.prototxt", tmp_path / f"o.{suffix}", progress=stop)
        assert sorted(tmp_path.iterdir()) == before


def test_two_gibibytes_are_the_end_of_protobuf(model, tmp_path, monkeypatch):
    monkeypatch.setattr(weight_files, "_PROTOBUF_BYTES", 4096)
    with pytest.raises(rxnn.Error, match=r"o\.caffemodel\.h5"):
        rxnn.convert(*model, CHIP, tmp_path / "o.prototxt", tmp_path / "o.caffemodel")
    rxnn.convert(*model, CHIP, tmp_path / "o.prototxt", tmp_path / "o.caffemodel.h5")


class TestCommand:
    @pytest.fixture
    def convert(self, model, tmp_path):
        """The arguments of a conversion that works, with some replaced."""

        def arguments(**replaced):
            options = {
                "model": model[0],
                "weights": model[1],
                "hardware": "rram_64x64",
                "out_model": tmp_path / "o.prototxt",
                "out_weights": tmp_path / "o.caffemodel",
                **replaced,
            }
            pairs = [(f"--{name.replace('_', '-')}", str(value)) for name, value in options.items()]
            return ["convert", *(part for pair in pairs for part in pair)]

        return arguments

    def test_prints_a_table_and_writes_json(self, convert, run_rxnn, tmp_path):
        status, out, err = run_rxnn(*convert(json=tmp_path / "report.json"))
        assert status == 0, err
        for word in ("block/conv", "2 x 18 x 3", "72 x 5", "utilisation", "worst"):
            assert word in out
        report = json.loads((tmp_path / "report.json").read_text())
        assert [layer["layer"] for layer in report["layers"]] == ["block/conv", "ip", "ipt"]
        assert report["layers"][0]["arrays"] == 16

    @pytest.mark.parametrize(
        ("replaced", "words"),
        [
            ({"model": "nowhere.prototxt"}, ["File not found", "nowhere.prototxt"]),
            ({"weights": "nowhere.caffemodel"}, ["File not found", "nowhere.caffemodel"]),
            ({"hardware": "nowhere.prototxt"}, ["nowhere.prototxt", "rram_64x64"]),
            ({"hardware": "rows: 0"}, ["rows", "0", "4096"]),
            ({"hardware": "r_sink_ohm: -3"}, ["r_sink_ohm", "-3"]),
            ({"hardware": "raws: 3"}, ["raws", "1:"]),
            (
                {"hardware": "fault { row: 1 } fault { layer: 'nolayer' }"},
                ["fault[1]: layer 'nolayer'", "block/conv, ip, ipt"],
            ),
            ({"hardware": "fault { layer: 'ip' }", "exclude": "^ip$"}, ["fault[0]: layer 'ip'", "block/conv, ipt"]),
            ({"layers": "convolution9"}, ["convolution9", "block/conv, ip, ipt"]),
            ({"exclude": "convolution9"}, ["--exclude", "convolution9"]),
            ({"exclude": "."}, ["leave no layer"]),
            ({"layers": "("}, ["--layers", "regular expression"]),
            ({"out_model": "/nowhere/o.prototxt"}, ["/nowhere"]),
            ({"model": "nowhere.prototxt", "json": "/nowhere/r.json"}, ["there is no folder /nowhere"]),
            ({"model": "nowhere.prototxt", "json": "/"}, ["/ is a folder"]),
        ],
    )
    def test_mistakes_are_one_line(self, convert, fails, tmp_path, replaced, words):
        before = sorted(tmp_path.iterdir())
        message = fails(*convert(**replaced))
        for word in words:
            assert word in message
        assert sorted(tmp_path.iterdir()) == before

    def test_inputs_are_not_overwritten(self, convert, fails, model):
        before = model[0].read_bytes()
        assert "different files" in fails(*convert(out_model=model[0]))
        assert model[0].read_bytes() == before

    def test_wrong_weight_shape_is_named(self, convert, fails, model):
        model[0].write_text(NET.replace("num_output: 5", "num_output: 6"))
        message = fails(*convert())
        assert "'ip'" in message
        assert "(5, 72)" in message
        assert "(6, inputs)" in message
        model[0].write_text(NET.replace("kernel_size: 3", "kernel_size: 5"))
        message = fails(*convert())
        assert "'block/conv'" in message
        assert "(6, 2, 3, 3)" in message

    def test_truncated_and_missing_weights_are_named(self, convert, fails, model, tmp_path):
        whole = model[1].read_bytes()
        model[1].write_bytes(whole[: len(whole) // 2])
        assert "net.caffemodel" in fails(*convert())
        model[1].write_bytes(b"")
        assert "net.caffemodel" in fails(*convert())
        model[1].write_bytes(NetParameter(name="none").SerializeToString())
        assert "no weights" in fails(*convert())
        # A name that is no UTF-8, in place of the first layer's.
        model[1].write_bytes(whole.replace(b"block/conv", b"\xff\xfeock/conv"))
        assert "no weights" in fails(*convert())
        (tmp_path / "broken.h5").write_bytes(b"no hdf5")
        assert "broken.h5" in fails(*convert(weights=tmp_path / "broken.h5"))

    def test_damaged_numbers_in_hdf5_are_named(self, convert, fails, tmp_path):
        damaged = tmp_path / "damaged.h5"
        with h5py.File(damaged, "w") as file:
            file["data/ip/0"] = np.zeros((5, 72), "f4")
        # The bias of the exponent, in the description of float32: NumPy has no such type.
        description, bias = bytes([23, 8, 0, 23]), bytes([127, 0, 0, 0])
        content = damaged.read_bytes()
        assert content.count(description + bias) == 1
        damaged.write_bytes(content.replace(description + bias, description + bytes([127, 0, 0, 128])))
        assert "damaged.h5: truncated, or no HDF5 file" in fails(*convert(weights=damaged))

    def test_more_conductances_than_a_blob_holds_are_refused(self, model, tmp_path, monkeypatch):
        out = tmp_path / "x.prototxt", tmp_path / "x.h5"
        monkeypatch.setattr(sys.modules["rxnn.convert"], "_MOST_VALUES", 6 * 18 * 8 - 1)
        with pytest.raises(rxnn.Error, match="layer 'block/conv': its 864 conductances are more than a blob holds"):
            rxnn.convert(*model, "rram_64x64", *out)
        rxnn.convert(*model, "rram_64x64", *out, online=True)

    def test_syntax_errors_have_a_place(self, convert, fails, model):
        model[0].write_text('name: "x"\nlayer { nome: "y" }\n')
        assert "net.prototxt:2:" in fails(*convert())

    def test_types_that_do_not_exist_are_named(self, convert, fails, model, tmp_path):
        model[0].write_text(NET.replace('"Convolution"', '"Convolutoin"'))
        message = fails(*convert())
        for word in ("net.prototxt", "'block/conv'", "'Convolutoin'", "CAFFE_PLUGINS"):
            assert word in message
        assert not (tmp_path / "o.prototxt").exists()

    def test_types_of_the_train_phase_need_not_be_there(self, model, tmp_path):
        own = 'layer { name: "own" type: "OwnData" top: "own" include { phase: TRAIN } }'
        model[0].write_text(NET + own)
        rxnn.convert(*model, "ideal", tmp_path / "o.prototxt", tmp_path / "o.caffemodel")
        assert read_text(tmp_path / "o.prototxt").layer[-1].type == "OwnData"

    def test_models_without_matrices_are_refused(self, convert, fails, model):
        model[0].write_text('layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 } } }')
        assert "no Convolution or InnerProduct" in fails(*convert())

    def test_missing_options_are_named(self, fails):
        assert "--model" in fails("convert")
        assert "nonsense" in fails("nonsense")
