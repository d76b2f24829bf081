"""caffe.Classifier and caffe.Detector: what goes into the net, and what comes out by image or window."""

import numpy as np
import pytest
from PIL import Image

import caffe

# Scores are the means of the three channels of what the net is given.
NET = """
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 4 dim: 3 dim: 6 dim: 8 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE global_pooling: true } }
layer { name: "scale" type: "Convolution" bottom: "pool" top: "scores"
        convolution_param { num_output: 3 kernel_size: 1 group: 3 bias_term: false } }
"""


@pytest.fixture
def files(tmp_path):
    model, weights = tmp_path / "net.prototxt", tmp_path / "w.caffemodel"
    model.write_text(NET)
    net = caffe.Net(model, caffe.TEST)
    net.params["scale"][0].data[...] = 1
    net.save(weights)
    return model, weights


@pytest.fixture
def images(rng):
    return [rng.uniform(size=(10, 12, 3)).astype(np.float32) for _ in range(5)]


def test_the_centre_crop(files, images):
    classifier = caffe.Classifier(*files, image_dims=(10, 12))
    expected = [image[2:8, 2:10].mean(axis=(0, 1)) for image in images]
    np.testing.assert_allclose(classifier.predict(images, oversample=False), expected, rtol=1e-5)


def test_ten_crops(files, images):
    classifier = caffe.Classifier(*files, image_dims=(10, 12))
    corners = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]
    expected = [
        np.mean([image[y : y + 6, x : x + 8].mean(axis=(0, 1)) for y, x in corners], axis=0) for image in images
    ]
    np.testing.assert_allclose(classifier.predict(images), expected, rtol=1e-5)


def test_images_are_prepared(files, images):
    classifier = caffe.Classifier(
        *files, mean=np.array([1.0, 2, 3]), raw_scale=255, input_scale=0.5, channel_swap=(2, 1, 0)
    )
    resized = [caffe.io.resize_image(image, (6, 8)) for image in images]
    expected = [(image.mean(axis=(0, 1))[::-1] * 255 - [1, 2, 3]) * 0.5 for image in resized]
    np.testing.assert_allclose(classifier.predict(images, oversample=False), expected, rtol=1e-4)
    assert isinstance(classifier, caffe.Net)
    np.testing.assert_array_equal(classifier.image_dims, (6, 8))


def test_what_a_classifier_refuses(files, tmp_path):
    with pytest.raises(ValueError, match="at least the net's input"):
        caffe.Classifier(*files, image_dims=(4, 12))
    with pytest.raises(ValueError, match="at least one image"):
        caffe.Classifier(*files).predict([])
    flat = tmp_path / "flat.prototxt"
    flat.write_text('layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 4 dim: 3 } } }')
    with pytest.raises(ValueError, match="deploy network"):
        caffe.Classifier(flat, files[1])


@pytest.fixture
def picture(tmp_path, rng):
    pixels = rng.integers(0, 256, (20, 30, 3), np.uint8)
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    return path, pixels / 255


def test_windows_are_classified(files, picture):
    path, pixels = picture
    windows = [(2, 3, 8, 11), (0, 0, 20, 30), (14, 22, 20, 30), (0, 0, 6, 8), (1, 1, 7, 9)]
    found = caffe.Detector(*files).detect_windows([(path, windows), (path, windows[:1])])
    assert [detection["window"] for detection in found] == [*windows, windows[0]]
    assert {detection["filename"] for detection in found} == {path}
    for index in (0, 2, 3, 4, 5):  # of the net's size
        ymin, xmin, ymax, xmax = found[index]["window"]
        expected = pixels[ymin:ymax, xmin:xmax].mean(axis=(0, 1))
        np.testing.assert_allclose(found[index]["prediction"], expected, rtol=1e-5)
    assert caffe.Detector(*files).detect_windows([]) == []


def test_windows_have_surroundings(files, picture):
    _, pixels = picture
    image = pixels.astype(np.float32)
    detector = caffe.Detector(*files, context_pad=1)
    # 4 x 6 pixels fill 4 x 6 of the 6 x 8: the image itself, a pixel wider on each side.
    np.testing.assert_allclose(detector.crop(image, (5, 7, 9, 13)), image[4:10, 6:14], atol=1e-6)


def test_the_mean_is_around_the_image(files, picture):
    _, pixels = picture
    image = pixels.astype(np.float32)
    mean = np.array([0.25, 0.5, 0.75])
    detector = caffe.Detector(*files, mean=mean * 255, raw_scale=255, channel_swap=(2, 1, 0), context_pad=1)
    crop = detector.crop(image, (0, 0, 4, 6))
    np.testing.assert_allclose(crop[1:, 1:], image[:5, :7], atol=1e-6)
    np.testing.assert_allclose(crop[0], np.broadcast_to(mean[::-1], (8, 3)), atol=1e-6)
    np.testing.assert_allclose(crop[:, 0], np.broadcast_to(mean[::-1], (6, 3)), atol=1e-6)
    corner = detector.crop(image, (16, 24, 20, 30))
    np.testing.assert_allclose(corner[:5, :7], image[15:, 23:], atol=1e-6)
    # After preprocessing, the mean is zero.
    assert abs(detector.transformer.preprocess("data", crop)[:, 0]).max() < 1e-4
    # Any window comes out in the size of the input.
    for window in [(0, 0, 20, 30), (19, 29, 20, 30), (-5, -5, 3, 2), (3, 0, 4, 30)]:
        assert detector.crop(image, window).shape == (6, 8, 3)


def test_what_a_detector_refuses(files, picture):
    path, _ = picture
    detector = caffe.Detector(*files)
    with pytest.raises(ValueError, match="no pixel"):
        detector.detect_windows([(path, [(5, 5, 5, 9)])])
    with pytest.raises(ValueError, match="no pixel"):
        detector.detect_windows([(path, [(25, 5, 30, 9)])])
    with pytest.raises(ValueError, match="context_pad is 3"):
        caffe.Detector(*files, context_pad=3)
    with pytest.raises(ImportError, match="selective_search_ijcv_with_python"):
        detector.detect_selective_search(["x.png"])
