"""caffe.Blob and the lists of blobs."""

import gc

import numpy as np
import pytest

import caffe
from caffe import _caffe


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4\n'
        '        weight_filler { type: "constant" value: 1 } bias_filler { type: "constant" value: 2 } } }'
    )
    return caffe.Net(path, caffe.TEST)


def test_views_outlive_net_and_blob(net):
    x = net.forward(x=np.ones((2, 3)))["y"]
    weights = net.params["ip"][0].data
    blob, layer = net.blobs["x"], net.layers[1]
    del net
    gc.collect()
    np.testing.assert_array_equal(x, np.full((2, 4), 5))
    np.testing.assert_array_equal(weights, np.ones((4, 3)))
    np.testing.assert_array_equal(blob.data, np.ones((2, 3)))
    np.testing.assert_array_equal(layer.blobs[1].data, np.full(4, 2))


def test_views_are_of_the_net_itself(net):
    net.params["ip"][0].data[...] = 0
    net.params["ip"][1].data[:2] = -1
    np.testing.assert_array_equal(net.forward()["y"], [[-1, -1, 2, 2]] * 2)
    assert np.shares_memory(net.blobs["y"].data, net.blobs["y"].data)
    assert net.blobs["y"].diff.shape == (2, 4)


def test_arrays_are_not_settable(net):
    with pytest.raises(AttributeError):
        net.blobs["x"].data = np.zeros((2, 3))
    with pytest.raises(AttributeError):
        net.blobs["x"].diff = np.zeros((2, 3))


def test_old_views_stay_valid_after_a_reshape(net):
    blob = net.blobs["x"]
    view = blob.data
    view[...] = 7
    blob.reshape(np.int64(100), 3)
    np.testing.assert_array_equal(view, np.full((2, 3), 7))
    assert blob.data.shape == blob.shape == (100, 3)


def test_shapes_are_integers(net):
    with pytest.raises(TypeError, match=r"2\.5"):
        net.blobs["x"].reshape(2, 2.5)
    with pytest.raises(TypeError):
        net.blobs["x"].reshape(num=2)
    with pytest.raises(caffe.Error, match="-1"):
        net.blobs["x"].reshape(2, -1)
    with pytest.raises(caffe.Error, match=str(2**40)):
        net.blobs["x"].reshape(2**40)
    with pytest.raises(OverflowError):
        net.blobs["x"].reshape(2**80)
    net.blobs["x"].reshape()
    assert net.blobs["x"].data.shape == ()


def test_the_legacy_view_ends_at_four_axes(net):
    net.blobs["x"].reshape(1, 2, 3, 4, 5)
    with pytest.raises(caffe.Error, match="5 axes"):
        net.blobs["x"].num  # noqa: B018
    assert repr(net.blobs["x"]) == "<caffe.Blob (1, 2, 3, 4, 5)>"


def test_lists_of_blobs_are_lists(net):
    params = net.params["ip"]
    assert isinstance(params, _caffe.BlobVec)
    assert len(params) == 2
    assert [blob.shape for blob in params] == [(4, 3), (4,)]
    assert params[-1].shape == (4,)
    assert [blob.shape for blob in params[::-1]] == [(4,), (4, 3)]
    assert params[0:1][0] is params[0]
    with pytest.raises(IndexError):
        params[2]
    weights, bias = params
    assert (weights.count, bias.count) == (12, 4)


def test_lists_of_blobs_grow(net):
    own = _caffe.BlobVec()
    own.append(net.blobs["x"])
    own.extend([net.blobs["y"], net.blobs["x"]])
    own.add_blob(2, 5)
    assert [blob.shape for blob in own] == [(2, 3), (2, 4), (2, 3), (2, 5)]
    assert own[0] is net.blobs["x"]
    np.testing.assert_array_equal(own[3].data, np.zeros((2, 5)))
    for wrong in (None, 3):
        with pytest.raises((TypeError, RuntimeError)):
            own.append(wrong)
    assert len(own) == 4
    layer = net.layers[1]
    layer.blobs.add_blob(1)
    assert len(layer.blobs) == 3


@pytest.mark.parametrize("name", ["StringVec", "IntVec", "DtypeVec", "BoolVec", "LayerVec", "NetVec"])
def test_lists_of_values_are_lists(name):
    vec = getattr(_caffe, name)([1])
    vec.append(2)
    vec.extend((3, 4))
    assert list(vec) == [1, 2, 3, 4]
    assert vec[1:-1] == [2, 3]


def test_where_lists_come_from(net):
    assert isinstance(caffe.layer_type_list(), _caffe.StringVec)
    assert isinstance(net.layers, _caffe.LayerVec)
    assert net._inputs == [0]
    assert net._outputs == [1]
    assert net._top_ids(1) == [1]
    assert net._bottom_ids(1) == [0]
    assert isinstance(net._top_ids(1), _caffe.IntVec)
    assert isinstance(net._blob_loss_weights, _caffe.DtypeVec)
    with pytest.raises(IndexError):
        net._top_ids(9)
