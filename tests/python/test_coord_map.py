"""caffe.coord_map: which pixels of blobs lie over each other; the maps are checked by what layers compute."""

# ruff: noqa: C408 - dict(a=b) is how specs are written

import numpy as np
import pytest

import caffe
from caffe import layers as L  # noqa: N812
from caffe.coord_map import AxisMismatchException, UndefinedMapException, coord_map, coord_map_from_to, crop


def data():
    return L.Input(shape=dict(dim=[1, 1, 100, 90]))


def conv(bottom, **params):
    return L.Convolution(bottom, num_output=1, **params)


def test_a_convolution_with_stride_and_pad():
    x = data()
    axis, a, b = coord_map_from_to(conv(x, kernel_size=5, stride=2, pad=1), x)
    # Output 0 is centred over pixel (5 - 1) / 2 - 1 of the input, output 1 over the one 2 further.
    assert axis == 1
    np.testing.assert_allclose(a, 2)
    np.testing.assert_allclose(b, 1)


def test_maps_have_inverses():
    x = data()
    top = L.Pooling(conv(L.ReLU(x), kernel_size=3, stride=2), kernel_size=2, stride=2)
    _, a, b = coord_map_from_to(top, x)
    _, a_back, b_back = coord_map_from_to(x, top)
    np.testing.assert_allclose(a * a_back, 1)
    np.testing.assert_allclose(a * b_back + b, 0)
    np.testing.assert_allclose(a, 4)


def test_a_deconvolution_undoes_a_convolution():
    x = data()
    params = dict(kernel_size=4, stride=2, pad=1)
    up = L.Deconvolution(conv(x, **params), num_output=1, **params)
    axis, a, b = coord_map_from_to(up, x)
    assert axis == 1
    np.testing.assert_allclose(a, 1)
    np.testing.assert_allclose(b, 0)


def test_dilation_and_rectangles():
    x = data()
    _, _, b = coord_map_from_to(conv(x, kernel_size=3, dilation=4), x)
    np.testing.assert_allclose(b, 4)
    _, a, b = coord_map_from_to(conv(x, kernel_h=3, kernel_w=7, stride_h=1, stride_w=2, pad_w=1), x)
    np.testing.assert_allclose(a, [1, 2])
    np.testing.assert_allclose(b, [1, 2])
    _, a, b = coord_map_from_to(conv(x, kernel_size=[3, 5], pad=[0, 1]), x)
    np.testing.assert_array_equal(a, [1, 1])
    np.testing.assert_allclose(b, [1, 1])


def test_parameters_may_stand_in_their_message():
    x = data()
    message = dict(kernel_size=5, stride=3, pad=2, num_output=1)
    np.testing.assert_allclose(coord_map_from_to(L.Convolution(x, convolution_param=message), x)[1], 3)
    np.testing.assert_allclose(coord_map_from_to(L.CrossbarConvolution(x, **message), x)[1], 3)
    np.testing.assert_allclose(coord_map_from_to(L.Pooling(x, pooling_param=dict(kernel_size=2, stride=5)), x)[1], 5)


def test_branches_meet_where_they_part():
    x = L.ReLU(data())
    up = L.Deconvolution(
        L.Pooling(conv(x, kernel_size=3, pad=50), kernel_size=2, stride=2), num_output=1, kernel_size=2, stride=2
    )
    side = L.Sigmoid(conv(x, kernel_size=1))
    _, a, b = coord_map_from_to(up, side)
    np.testing.assert_allclose(a, 1)
    np.testing.assert_allclose(b, -49)


def test_crop_aligns_what_layers_compute(tmp_path):
    """A blob of ones at one pixel, through layers and their crop, comes out where it went in."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 1, 20, 17]))
    one = dict(type="constant", value=1)
    n.conv = conv(n.data, kernel_size=3, pad=5, stride=2, weight_filler=one)
    n.up = L.Deconvolution(n.conv, convolution_param=dict(num_output=1, kernel_size=3, stride=2, weight_filler=one))
    n.out = crop(n.up, n.data)
    message = n.to_proto()
    assert message.layer[-1].type == "Crop"
    assert list(message.layer[-1].bottom) == ["up", "data"]
    assert message.layer[-1].crop_param.axis == 2
    assert list(message.layer[-1].crop_param.offset) == [5]
    path = tmp_path / "net.prototxt"
    del message.layer[-1]
    path.write_text(str(message))
    net = caffe.Net(path, caffe.TEST)
    image = np.zeros((1, 1, 20, 17), np.float32)
    image[0, 0, 8, 6] = 1
    up = net.forward(data=image)["up"][0, 0, 5 : 5 + 20, 5 : 5 + 17]
    rows, columns = np.nonzero(up)
    assert abs(rows.mean() - 8) <= 1
    assert abs(columns.mean() - 6) <= 1


def test_a_crop_has_a_map():
    x = data()
    bigger = L.Deconvolution(x, num_output=1, kernel_size=9, stride=1)
    cropped = L.Crop(bigger, x, crop_param=dict(axis=2, offset=[3, 4]))
    axis, a, b = coord_map_from_to(cropped, x)
    assert axis == 1
    np.testing.assert_allclose(a, 1)
    np.testing.assert_allclose(b, [-1, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: conv(x, kernel_size=3, stride=2, pad=1), "scale mismatch"),
        (lambda x: conv(x, kernel_size=2), "noninteger"),
        (lambda x: conv(x, kernel_size=3), "negative offset"),
    ],
)
def test_what_no_crop_aligns(make, message):
    x = data()
    with pytest.raises(AssertionError, match=message):
        crop(make(x), x)


def test_what_has_no_map():
    x = data()
    ip = L.InnerProduct(x, num_output=3)
    with pytest.raises(UndefinedMapException, match="InnerProduct"):
        coord_map(ip.fn)
    with pytest.raises(UndefinedMapException, match="global"):
        coord_map(L.Pooling(x, global_pooling=True).fn)
    with pytest.raises(RuntimeError, match="connected by spatial layers"):
        coord_map_from_to(ip, x)
    with pytest.raises(RuntimeError, match="connected"):
        coord_map_from_to(data(), x)
    with pytest.raises(AxisMismatchException):
        coord_map_from_to(conv(conv(x, kernel_size=1, axis=2), kernel_size=1), x)
