"""Images in and out of networks, and conversions between arrays and messages."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from .proto import caffe_pb2

# Luminance of linear RGB, ITU-R BT.709, as scikit-image weighs it.
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721], np.float32)


def load_image(filename: str | os.PathLike[str], color: bool = True) -> np.ndarray:
    """An image as float32 in [0, 1]: (H, W, 3) in RGB order, or (H, W, 1) without `color`; alpha is dropped."""
    with Image.open(filename) as file:
        if file.mode.startswith("I"):  # 16 bits of grey
            grey = np.asarray(file, np.float32)[..., np.newaxis] / 65535
            return np.repeat(grey, 3, axis=2) if color else grey
        if file.mode in ("1", "L", "LA") and not color:
            return np.asarray(file.convert("L"), np.float32)[..., np.newaxis] / 255
        image = np.asarray(file.convert("RGB"), np.float32) / 255
    return image if color else (image @ _LUMINANCE)[..., np.newaxis]


def resize_image(im: np.ndarray, new_dims: Sequence[int], interp_order: int = 1) -> np.ndarray:
    """Resizes (H, W, K), any K, to (*new_dims, K) as float32, without smoothing when it shrinks.

    With K of 1 or 3 (images) pixels are areas whose centres are aligned, and the border continues its outermost pixels.
    With another K (feature maps) the centres of the corner pixels stay where they are.

    interp_order: 0 takes the nearest pixel, 1 interpolates linearly, 2 to 5 are splines of that order (needs scipy).
    """
    if interp_order not in range(6):
        raise ValueError(f"interp_order is {interp_order}; it must be 0 (nearest), 1 (linear) or 2 to 5 (splines)")
    result = np.asarray(im, np.float32)
    if result.ndim != 3:
        raise ValueError(f"an image is (height, width, channels), not an array of shape {result.shape}")
    height, width = (int(dim) for dim in new_dims[:2])
    corners = result.shape[2] not in (1, 3)
    positions = [_positions(old, new, corners) for old, new in zip(result.shape[:2], (height, width), strict=True)]
    if interp_order > 1:
        return _spline(result, positions, interp_order)
    for axis, position in enumerate(positions):
        result = _interpolate(result, axis, position, interp_order)
    return result


def _positions(old: int, new: int, corners: bool) -> np.ndarray:
    """Where on an axis of `old` pixels the `new` ones lie."""
    if corners:
        return np.arange(new) * (old - 1) / max(new - 1, 1)
    return np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)


def _interpolate(values: np.ndarray, axis: int, position: np.ndarray, order: int) -> np.ndarray:
    old = values.shape[axis]
    if np.array_equal(position, np.arange(old)):
        return values
    if order == 0:
        return values.take(np.floor(position + 0.5).astype(int), axis)
    low = np.minimum(position.astype(int), max(old - 2, 0))
    high = np.minimum(low + 1, old - 1)
    shape = [1] * values.ndim
    shape[axis] = position.size
    weight = (position - low).astype(np.float32).reshape(shape)
    return values.take(low, axis) * (1 - weight) + values.take(high, axis) * weight


def _spline(image: np.ndarray, positions: list[np.ndarray], order: int) -> np.ndarray:
    try:
        from scipy.ndimage import map_coordinates
    except ImportError:
        raise ImportError(f"interp_order {order} needs the Python package scipy: pip install scipy") from None
    grid = np.meshgrid(*positions, indexing="ij")
    channels = [map_coordinates(image[..., k], grid, order=order, mode="nearest") for k in range(image.shape[2])]
    return np.stack(channels, axis=-1).astype(np.float32)


def oversample(images: Sequence[np.ndarray], crop_dims: Sequence[int]) -> np.ndarray:
    """Ten crops of each image (H, W, K): corners and centre, then the same mirrored; (10 N, h, w, K) float32."""
    height, width, channels = images[0].shape
    h, w = (int(dim) for dim in crop_dims)
    if h > height or w > width:
        raise ValueError(f"a crop of {h} x {w} does not fit in images of {height} x {width}")
    bottom, right = height - h, width - w
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    crops = np.empty((len(images), 10, h, w, channels), np.float32)
    for image, views in zip(images, crops, strict=True):
        for index, (y, x) in enumerate(corners):
            views[index] = image[y : y + h, x : x + w]
        views[5:] = views[:5, :, ::-1]
    return crops.reshape(-1, h, w, channels)


def blobproto_to_array(blob: caffe_pb2.BlobProto, return_diff: bool = False) -> np.ndarray:
    """The values (or gradients) of a BlobProto, float32, of its shape; old messages have four axes."""
    float_values, double_values = (blob.diff, blob.double_diff) if return_diff else (blob.data, blob.double_data)
    array = np.array(double_values or float_values, np.float32)
    if any(blob.HasField(field) for field in ("num", "channels", "height", "width")):
        return array.reshape(blob.num, blob.channels, blob.height, blob.width)
    return array.reshape(tuple(blob.shape.dim))


def array_to_blobproto(arr: np.ndarray, diff: np.ndarray | None = None) -> caffe_pb2.BlobProto:
    """A BlobProto of an array, and of gradients of the same shape."""
    arr = np.asarray(arr)
    blob = caffe_pb2.BlobProto()
    blob.shape.dim.extend(arr.shape)
    blob.data.extend(arr.astype(np.float32).ravel())
    if diff is not None:
        diff = np.asarray(diff)
        if diff.shape != arr.shape:
            raise ValueError(f"the gradients have shape {diff.shape}, the values {arr.shape}")
        blob.diff.extend(diff.astype(np.float32).ravel())
    return blob


def arraylist_to_blobprotovector_str(arraylist: Sequence[np.ndarray]) -> bytes:
    """Arrays as a serialised BlobProtoVector."""
    vector = caffe_pb2.BlobProtoVector()
    vector.blobs.extend(array_to_blobproto(array) for array in arraylist)
    return vector.SerializeToString()


def blobprotovector_str_to_arraylist(string: bytes) -> list[np.ndarray]:
    """The arrays of a serialised BlobProtoVector."""
    vector = caffe_pb2.BlobProtoVector.FromString(string)
    return [blobproto_to_array(blob) for blob in vector.blobs]


def array_to_datum(arr: np.ndarray, label: int | None = None) -> caffe_pb2.Datum:
    """A Datum of a (C, H, W) array: uint8 becomes bytes, all else floats."""
    arr = np.asarray(arr)
    if arr.ndim != 3:
        raise ValueError(f"a Datum takes a (channels, height, width) array, not {arr.ndim} axes")
    datum = caffe_pb2.Datum(channels=arr.shape[0], height=arr.shape[1], width=arr.shape[2])
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(np.float32).ravel())
    if label is not None:
        datum.label = int(label)
    return datum


def datum_to_array(datum: caffe_pb2.Datum) -> np.ndarray:
    """The (C, H, W) array of a Datum that is not encoded: uint8 of bytes, float32 of floats."""
    if datum.encoded:
        raise ValueError("the Datum holds an encoded image")
    shape = (datum.channels, datum.height, datum.width)
    if datum.data:
        return np.frombuffer(datum.data, np.uint8).reshape(shape)
    return np.array(datum.float_data, np.float32).reshape(shape)


class Transformer:
    """Images (H, W, K) to a net's inputs (K, H, W) and back.

    preprocess: float32, resize to the input's height and width, transpose, channel swap, * raw_scale, - mean,
    * input_scale. deprocess undoes the same in reverse order, without resizing.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]) -> None:
        """`inputs`: shapes (N, K, H, W) by the names of the inputs."""
        self.inputs = {name: tuple(shape) for name, shape in inputs.items()}
        self.transpose: dict[str, tuple[int, ...]] = {}
        self.channel_swap: dict[str, tuple[int, ...]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, np.ndarray] = {}
        self.input_scale: dict[str, float] = {}

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """The order of axes, (2, 0, 1) for (H, W, K) images."""
        self._check_input(in_)
        if len(order) != len(self.inputs[in_]) - 1:
            raise ValueError("Transpose order needs to have the same number of dimensions as the input.")
        self.transpose[in_] = tuple(order)

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """The order of channels, (2, 1, 0) for RGB to BGR."""
        self._check_input(in_)
        if len(order) != self.inputs[in_][1]:
            raise ValueError("Channel swap needs to have the same number of dimensions as the input channels.")
        self.channel_swap[in_] = tuple(order)

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """A factor before the mean, 255 for images in [0, 1] of a net that saw bytes."""
        self._check_input(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_: str, mean: np.ndarray) -> None:
        """The mean to subtract: one value per channel (1-d), or an image (K, H, W), resized where it must be."""
        self._check_input(in_)
        mean = np.asarray(mean, np.float32)
        channels, *size = self.inputs[in_][1:]
        if mean.ndim == 1:
            if mean.size not in (1, channels):
                raise ValueError(f"Mean channels incompatible with input: {mean.size}, input {in_!r} has {channels}.")
            mean = mean[:, np.newaxis, np.newaxis]
        else:
            if mean.ndim == 2:
                mean = mean[np.newaxis]
            if mean.ndim != 3 or mean.shape[0] != channels:
                raise ValueError(f"Mean shape incompatible with input shape: {mean.shape}, input {self.inputs[in_]}.")
            mean = resize_image(mean.transpose(1, 2, 0), size).transpose(2, 0, 1)
        self.mean[in_] = mean

    def set_input_scale(self, in_: str, scale: float) -> None:
        """A factor after the mean."""
        self._check_input(in_)
        self.input_scale[in_] = scale

    def preprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """The input `in_` for an image."""
        self._check_input(in_)
        size = self.inputs[in_][2:]
        result = np.array(data, np.float32)
        if result.shape[:2] != tuple(size):
            result = resize_image(result, size)
        if in_ in self.transpose:
            result = result.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            result = result[list(self.channel_swap[in_])]
        if in_ in self.raw_scale:
            result = result * np.float32(self.raw_scale[in_])
        if in_ in self.mean:
            result = result - self.mean[in_]
        if in_ in self.input_scale:
            result = result * np.float32(self.input_scale[in_])
        return result

    def deprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """The image for an input (K, H, W), or (1, K, H, W)."""
        self._check_input(in_)
        result = np.array(data, np.float32)
        if result.ndim == len(self.inputs[in_]):
            result = result.squeeze(0)
        if in_ in self.input_scale:
            result = result / np.float32(self.input_scale[in_])
        if in_ in self.mean:
            result = result + self.mean[in_]
        if in_ in self.raw_scale:
            result = result / np.float32(self.raw_scale[in_])
        if in_ in self.channel_swap:
            result = result[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            result = result.transpose(np.argsort(self.transpose[in_]))
        return result

    def _check_input(self, in_: str) -> None:
        if in_ not in self.inputs:
            raise ValueError(f"{in_} is not one of the net inputs: {sorted(self.inputs)}")
