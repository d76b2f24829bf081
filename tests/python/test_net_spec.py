"""caffe.NetSpec: networks written in Python become the prototxt that one would write."""

# ruff: noqa: C408 - dict(a=b) is how specs are written

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
from caffe import layers as L  # noqa: N812
from caffe import params as P  # noqa: N812
from caffe.proto.caffe_pb2 import LayerParameter, NetParameter


def parse(text):
    return text_format.Parse(text, NetParameter())


def lenet(batch_size):
    n = caffe.NetSpec()
    n.data, n.label = L.DummyData(
        shape=[dict(dim=[batch_size, 1, 28, 28]), dict(dim=[batch_size])],
        transform_param=dict(scale=1 / 256),
        ntop=2,
    )
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler=dict(type="xavier"))
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.relu1 = L.ReLU(n.pool1, in_place=True)
    n.ip1 = L.InnerProduct(n.relu1, num_output=10, param=[dict(lr_mult=1), dict(lr_mult=2, decay_mult=0)])
    n.loss = L.SoftmaxWithLoss(n.ip1, n.label, loss_weight=2, loss_param=dict(ignore_label=255))
    return n


LENET = """
layer { name: "data" type: "DummyData" top: "data" top: "label" transform_param { scale: 0.00390625 }
        dummy_data_param { shape { dim: 50 dim: 1 dim: 28 dim: 28 } shape { dim: 50 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { kernel_size: 5 num_output: 20 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
        pooling_param { kernel_size: 2 stride: 2 pool: MAX } }
layer { name: "relu1" type: "ReLU" bottom: "pool1" top: "pool1" }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1" inner_product_param { num_output: 10 }
        param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip1" bottom: "label" top: "loss" loss_weight: 2
        loss_param { ignore_label: 255 } }
"""


def test_a_spec_is_the_prototxt_one_would_write():
    assert lenet(50).to_proto() == parse(LENET)


def test_tops_alone_are_numbered_by_type():
    data, label = L.Input(shape=[dict(dim=[2, 3]), dict(dim=[2])], ntop=2)
    one = L.InnerProduct(data, num_output=3)
    two = L.InnerProduct(L.ReLU(one, in_place=True), num_output=4)
    loss = L.SoftmaxWithLoss(two, label)
    expected = parse(
        """
        layer { name: "Input1" type: "Input" top: "Input1" top: "Input2"
                input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
        layer { name: "InnerProduct1" type: "InnerProduct" bottom: "Input1" top: "InnerProduct1"
                inner_product_param { num_output: 3 } }
        layer { name: "ReLU1" type: "ReLU" bottom: "InnerProduct1" top: "InnerProduct1" }
        layer { name: "InnerProduct2" type: "InnerProduct" bottom: "InnerProduct1" top: "InnerProduct2"
                inner_product_param { num_output: 4 } }
        layer { name: "SoftmaxWithLoss1" type: "SoftmaxWithLoss" bottom: "InnerProduct2" bottom: "Input2"
                top: "SoftmaxWithLoss1" }
        """
    )
    assert caffe.to_proto(loss) == expected
    assert loss.to_proto() == expected
    assert caffe.to_proto(one, loss) == expected


def test_layers_without_tops_are_functions():
    n = caffe.NetSpec()
    n.x = L.Input(shape=dict(dim=[2, 3]))
    n.quiet = L.Silence(n.x, ntop=0)
    assert n.to_proto() == parse(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "quiet" type: "Silence" bottom: "x" }'
    )


def test_names_come_from_attributes_and_items():
    n = caffe.NetSpec()
    n.x = L.Input(shape=dict(dim=[1]))
    n["fire/relu"] = L.ReLU(n.x)
    assert n["fire/relu"] is n.tops["fire/relu"]
    n.extra = L.TanH(n.x)
    assert "extra" in n
    del n.extra
    n["more"] = L.TanH(n.x)
    del n["more"]
    assert list(n) == ["x", "fire/relu"]
    assert [layer.name for layer in n.to_proto().layer] == ["x", "fire/relu"]
    with pytest.raises(AttributeError, match="no top 'nobody'"):
        n.nobody  # noqa: B018


def test_layers_run_after_those_they_read():
    n = caffe.NetSpec()
    hidden = L.Input(shape=dict(dim=[1]))
    top = hidden
    for _ in range(3000):  # deeper than Python's stack
        top = L.ReLU(top)
    n.y = L.Eltwise(top, hidden)
    layers = n.to_proto().layer
    assert len(layers) == 3002
    made = set()
    for layer in layers:
        assert set(layer.bottom) <= made
        made |= set(layer.top)


def test_keywords_reach_the_layer_where_its_type_has_no_such_field():
    n = caffe.NetSpec()
    n.x = L.Python(
        module="m",
        layer="MyLayer",
        param_str="{}",
        loss_weight=1,
        name="called",
        include=dict(phase=caffe.TEST),
        propagate_down=[],
    )
    assert n.to_proto() == parse(
        'layer { name: "called" type: "Python" top: "x" loss_weight: 1 include { phase: TEST }\n'
        '        python_param { module: "m" layer: "MyLayer" param_str: "{}" } }'
    )


def test_borrowed_parameters():
    n = caffe.NetSpec()
    n.x = L.Input(shape=dict(dim=[1, 3, 8, 8]))
    n.up = L.Deconvolution(n.x, convolution_param=dict(num_output=3, kernel_size=4, stride=2))
    n.up2 = L.Deconvolution(n.up, num_output=3, kernel_size=4, stride=2)
    up, up2 = n.to_proto().layer[1:]
    assert up.convolution_param == up2.convolution_param


def test_crossbar_layers_are_layers(tmp_path, rng):
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[2, 3, 6, 6]))
    hardware = dict(rows=16, cols=16, adc_bits=0, subtraction=P.Crossbar.ANALOG, signed_weights="DIFFERENTIAL")
    fill = dict(type="xavier")
    n.conv = L.CrossbarConvolution(n.data, num_output=4, kernel_size=3, weight_filler=fill, crossbar_param=hardware)
    n.ip = L.CrossbarInnerProduct(n.conv, num_output=5, weight_filler=fill, crossbar_param=dict(rows=32))
    message = n.to_proto()
    assert message.layer[1].convolution_param.num_output == 4
    assert message.layer[1].crossbar_param.rows == 16
    assert message.layer[2].inner_product_param.num_output == 5
    assert message.layer[2].crossbar_param.HasField("rows")
    path = tmp_path / "net.prototxt"
    path.write_text(str(message))
    net = caffe.Net(path, caffe.TEST)
    out = net.forward(data=rng.uniform(size=(2, 3, 6, 6)))["ip"]
    assert out.shape == (2, 5)
    assert np.any(out != 0)


def test_the_text_of_a_spec_runs(tmp_path, rng):
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[2, 3]))
    n.ip = L.InnerProduct(n.data, num_output=4, weight_filler=dict(type="constant", value=1))
    n.prob = L.Softmax(n.ip)
    path = tmp_path / "net.prototxt"
    path.write_text(str(n.to_proto()))
    net = caffe.Net(path, caffe.TEST)
    assert list(net.blobs) == ["data", "ip", "prob"]
    np.testing.assert_allclose(net.forward(data=rng.normal(size=(2, 3)))["prob"], np.full((2, 4), 0.25), rtol=1e-6)


def test_values_may_be_numpys():
    layer = LayerParameter()
    caffe.net_spec.assign_proto(layer, "name", "x")
    caffe.net_spec.assign_proto(layer, "loss_weight", np.float32(0.5))
    caffe.net_spec.assign_proto(layer, "convolution_param", dict(num_output=np.int64(3), kernel_size=np.array([2, 3])))
    caffe.net_spec.assign_proto(layer, "pooling_param", {"pool": "AVE"})
    assert layer == text_format.Parse(
        'name: "x" loss_weight: 0.5 convolution_param { num_output: 3 kernel_size: 2 kernel_size: 3 }\n'
        "pooling_param { pool: AVE }",
        LayerParameter(),
    )


def test_param_names():
    names = caffe.net_spec.param_name_dict()
    assert names["Convolution"] == "convolution"
    assert names["InnerProduct"] == "inner_product"
    assert names["LRN"] == "lrn"
    assert names["Transformation"] == "transform"
    assert names["Crossbar"] == "crossbar"
    assert P.Data.LMDB == 1
    assert P.Crossbar.OFFSET != P.Crossbar.DIFFERENTIAL
    with pytest.raises(AttributeError):
        P.Nothing.MAX  # noqa: B018
    with pytest.raises(AttributeError):
        P.Pooling.MEDIAN  # noqa: B018


def write(n, make):
    n.y = make(n.x)
    n.to_proto()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: L.ReLU("data"), TypeError, r"ReLU input 0 is not a Top \(type is <class 'str'>\)"),
        (lambda x: L.Eltwise(x, L.Silence(x, ntop=0)), TypeError, "Eltwise input 1 is not a Top"),
        (lambda x: L.Split(x, ntop=2, in_place=True), ValueError, "Split cannot be in place"),
        (lambda x: L.Convolution(x, num_outputs=3), AttributeError, r"'y' \(Convolution\).*no field 'num_outputs'"),
        (lambda x: L.Convolution(x, num_output="many"), TypeError, r"'y' \(Convolution\): num_output"),
        (lambda x: L.Pooling(x, pool="MEDIAN"), ValueError, "MAX, AVE, STOCHASTIC"),
        (lambda x: L.Convolution(x, weight_filler="xavier"), TypeError, "FillerParameter takes a dict"),
    ],
)
def test_what_cannot_be_written_is_named(make, error, message):
    n = caffe.NetSpec()
    n.x = L.Input(shape=dict(dim=[1]))
    with pytest.raises(error, match=message):
        write(n, make)


def test_only_tops_are_assigned():
    n = caffe.NetSpec()
    with pytest.raises(TypeError, match="'x' must be a Top"):
        n.x = 3
