"""caffe.io: images, Transformer, and conversions between arrays and messages."""

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

import caffe


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (7, 5, 4), np.uint8)


def test_load_image_gives_rgb_in_unit_range(tmp_path, pixels):
    path = tmp_path / "image.png"
    Image.fromarray(pixels[..., :3]).save(path)
    image = caffe.io.load_image(path)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, pixels[..., :3] / 255, atol=1e-7)
    grey = caffe.io.load_image(path, color=False)
    assert grey.shape == (7, 5, 1)
    np.testing.assert_allclose(grey[..., 0], pixels[..., :3] / 255 @ [0.2125, 0.7154, 0.0721], atol=1e-6)


def test_load_image_drops_alpha_and_repeats_grey(tmp_path, pixels):
    path = tmp_path / "image.png"
    Image.fromarray(pixels).save(path)
    np.testing.assert_allclose(caffe.io.load_image(path), pixels[..., :3] / 255, atol=1e-7)
    Image.fromarray(pixels[..., 0]).save(path)
    np.testing.assert_allclose(caffe.io.load_image(path), np.repeat(pixels[..., :1], 3, axis=2) / 255, atol=1e-7)
    np.testing.assert_allclose(caffe.io.load_image(path, color=False), pixels[..., :1] / 255, atol=1e-7)


def test_load_image_reads_sixteen_bits(tmp_path):
    values = np.array([[0, 1000], [40000, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    image = caffe.io.load_image(tmp_path / "deep.png")
    np.testing.assert_allclose(image, np.repeat(values[..., np.newaxis], 3, axis=2) / 65535, atol=1e-7)


@pytest.mark.parametrize("size", [(7, 5), (14, 15), (3, 2), (1, 9), (20, 4)])
@pytest.mark.parametrize("order", [0, 1])
def test_resize_image_interpolates(rng, size, order):
    image = rng.normal(size=(7, 5, 3)).astype(np.float32)
    grid = np.meshgrid(
        *((np.arange(n) + 0.5) * old / n - 0.5 for n, old in zip(size, (7, 5), strict=True)), indexing="ij"
    )
    if order == 0:
        rows, cols = (np.clip(np.floor(g + 0.5).astype(int), 0, n - 1) for g, n in zip(grid, (7, 5), strict=True))
        expected = image[rows, cols]
    else:
        expected = np.stack(
            [scipy.ndimage.map_coordinates(image[..., k], grid, order=1, mode="nearest") for k in range(3)], axis=-1
        )
    result = caffe.io.resize_image(image, size, order)
    assert result.shape == (*size, 3)
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("size", [(14, 15), (3, 2), (7, 1)])
@pytest.mark.parametrize("order", [0, 1])
def test_resize_image_keeps_the_corners_of_feature_maps(rng, size, order):
    maps = rng.normal(size=(7, 5, 4)).astype(np.float32)
    grid = np.meshgrid(*(np.linspace(0, old - 1, n) if n > 1 else [0.0] for n, old in zip(size, (7, 5), strict=True)))
    rows, columns = (np.transpose(axis) for axis in grid)
    if order == 0:
        expected = maps[np.floor(rows + 0.5).astype(int), np.floor(columns + 0.5).astype(int)]
    else:
        expected = np.stack(
            [scipy.ndimage.map_coordinates(maps[..., k], [rows, columns], order=1) for k in range(4)], -1
        )
    np.testing.assert_allclose(caffe.io.resize_image(maps, size, order), expected, atol=1e-5)


def test_resize_image_has_splines():
    ramp = np.broadcast_to(np.arange(12.0)[:, np.newaxis, np.newaxis], (12, 6, 3))
    result = caffe.io.resize_image(ramp, (24, 6), interp_order=3)
    assert result.dtype == np.float32
    # Inside, a spline through a straight line is the line.
    np.testing.assert_allclose(result[8:16, 0, 0], (np.arange(8, 16) + 0.5) / 2 - 0.5, atol=1e-2)


def test_resize_image_keeps_constants_and_names_what_is_wrong():
    np.testing.assert_allclose(caffe.io.resize_image(np.full((4, 4, 5), 2.5), (9, 3)), 2.5)
    with pytest.raises(ValueError, match="interp_order is 6"):
        caffe.io.resize_image(np.zeros((4, 4, 1)), (2, 2), interp_order=6)
    with pytest.raises(ValueError, match=r"shape \(4, 4\)"):
        caffe.io.resize_image(np.zeros((4, 4)), (2, 2))


def test_oversample_makes_ten_crops(rng):
    images = rng.normal(size=(2, 6, 8, 3)).astype(np.float32)
    crops = caffe.io.oversample(images, (4, 5))
    assert crops.shape == (20, 4, 5, 3)
    np.testing.assert_array_equal(crops[0], images[0, :4, :5])
    np.testing.assert_array_equal(crops[1], images[0, :4, 3:])
    np.testing.assert_array_equal(crops[2], images[0, 2:, :5])
    np.testing.assert_array_equal(crops[3], images[0, 2:, 3:])
    np.testing.assert_array_equal(crops[4], images[0, 1:5, 1:6])
    np.testing.assert_array_equal(crops[5:10], crops[:5, :, ::-1])
    np.testing.assert_array_equal(crops[10], images[1, :4, :5])
    with pytest.raises(ValueError, match="7 x 5"):
        caffe.io.oversample(images, (7, 5))


def test_transformer_prepares_and_undoes(rng):
    image = rng.uniform(size=(6, 8, 3)).astype(np.float32)
    transformer = caffe.io.Transformer({"data": (1, 3, 6, 8)})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_channel_swap("data", (2, 1, 0))
    transformer.set_raw_scale("data", 255)
    transformer.set_mean("data", np.array([104.0, 117, 123]))
    transformer.set_input_scale("data", 0.5)
    expected = (image.transpose(2, 0, 1)[::-1] * 255 - np.array([104, 117, 123])[:, None, None]) * 0.5
    prepared = transformer.preprocess("data", image)
    assert prepared.dtype == np.float32
    np.testing.assert_allclose(prepared, expected, atol=1e-4)
    np.testing.assert_allclose(transformer.deprocess("data", prepared), image, atol=1e-6)
    np.testing.assert_allclose(transformer.deprocess("data", prepared[np.newaxis]), image, atol=1e-6)


def test_transformer_resizes_images_and_means():
    transformer = caffe.io.Transformer({"data": (1, 3, 4, 4)})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_mean("data", np.full((3, 8, 8), 0.25))
    np.testing.assert_allclose(transformer.preprocess("data", np.ones((9, 7, 3))), np.full((3, 4, 4), 0.75))


def test_transformer_refuses_what_does_not_fit():
    transformer = caffe.io.Transformer({"data": (1, 3, 4, 4)})
    with pytest.raises(Exception, match="other is not one of the net inputs"):
        transformer.set_raw_scale("other", 1)
    with pytest.raises(Exception, match="same number of dimensions"):
        transformer.set_transpose("data", (1, 0))
    with pytest.raises(Exception, match="input channels"):
        transformer.set_channel_swap("data", (1, 0))
    with pytest.raises(Exception, match="Mean channels incompatible"):
        transformer.set_mean("data", np.zeros(2))
    with pytest.raises(Exception, match="Mean shape incompatible"):
        transformer.set_mean("data", np.zeros((2, 4, 4)))


def test_blobprotos_hold_values_and_gradients(rng):
    values, grads = rng.normal(size=(2, 3, 4)).astype(np.float32), rng.normal(size=(2, 3, 4)).astype(np.float32)
    blob = caffe.io.array_to_blobproto(values, grads)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob), values)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob, return_diff=True), grads)
    with pytest.raises(ValueError, match="gradients"):
        caffe.io.array_to_blobproto(values, grads[0])


def test_old_blobprotos_have_four_axes():
    blob = caffe.proto.caffe_pb2.BlobProto(num=1, channels=2, height=1, width=3, data=range(6))
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob), np.arange(6).reshape(1, 2, 1, 3))
    blob = caffe.proto.caffe_pb2.BlobProto(double_data=[1.5, 2.5])
    blob.shape.dim.append(2)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob), [1.5, 2.5])


def test_blobproto_vectors_go_through_strings(rng):
    arrays = [rng.normal(size=(2, 3)).astype(np.float32), np.float32([1, 2, 3])]
    back = caffe.io.blobprotovector_str_to_arraylist(caffe.io.arraylist_to_blobprotovector_str(arrays))
    for array, result in zip(arrays, back, strict=True):
        np.testing.assert_array_equal(result, array)


def test_datums_hold_bytes_or_floats(rng, pixels):
    image = pixels.transpose(2, 0, 1)
    datum = caffe.io.array_to_datum(image, 5)
    assert (datum.channels, datum.height, datum.width, datum.label) == (4, 7, 5, 5)
    back = caffe.io.datum_to_array(datum)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, image)
    floats = rng.normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(caffe.io.datum_to_array(caffe.io.array_to_datum(floats)), floats)
    with pytest.raises(ValueError, match="2 axes"):
        caffe.io.array_to_datum(floats[0])
    with pytest.raises(ValueError, match="encoded"):
        caffe.io.datum_to_array(caffe.proto.caffe_pb2.Datum(encoded=True, data=b"x"))
