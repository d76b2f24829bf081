"""Classifier: class scores of images, from a deploy network."""

import os
from collections.abc import Sequence

import numpy as np

from . import io
from ._caffe import TEST
from .pycaffe import Net


def make_transformer(
    net: Net,
    mean: np.ndarray | None = None,
    input_scale: float | None = None,
    raw_scale: float | None = None,
    channel_swap: Sequence[int] | None = None,
) -> io.Transformer:
    """The Transformer of images (H, W, K) for the first input of a net."""
    if not net.inputs or len(net.blobs[net.inputs[0]].shape) != 4:
        raise ValueError("the net needs an Input layer of images (number, channels, height, width): a deploy network")
    name = net.inputs[0]
    transformer = io.Transformer({name: net.blobs[name].shape})
    transformer.set_transpose(name, (2, 0, 1))
    if mean is not None:
        transformer.set_mean(name, mean)
    if input_scale is not None:
        transformer.set_input_scale(name, input_scale)
    if raw_scale is not None:
        transformer.set_raw_scale(name, raw_scale)
    if channel_swap is not None:
        transformer.set_channel_swap(name, channel_swap)
    return transformer


class Classifier(Net):
    """A net that takes images and gives scores."""

    def __init__(
        self,
        model_file: str | os.PathLike[str],
        pretrained_file: str | os.PathLike[str],
        image_dims: Sequence[int] | None = None,
        mean: np.ndarray | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
    ) -> None:
        """Loads the network.

        Args:
            model_file: deploy prototxt with one input of images.
            pretrained_file: trained parameters.
            image_dims: (height, width) images are resized to before crops of the input's size are taken; the input's
                size by default.
            mean, input_scale, raw_scale, channel_swap: see caffe.io.Transformer.
        """
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = make_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].shape[2:])
        self.image_dims = self.crop_dims if image_dims is None else np.array(image_dims)
        if self.image_dims.shape != (2,) or np.any(self.image_dims < self.crop_dims):
            raise ValueError(
                f"image_dims is {image_dims}; it must be (height, width) and at least the net's input, {self.crop_dims}"
            )

    def predict(self, inputs: Sequence[np.ndarray], oversample: bool = True) -> np.ndarray:
        """The scores (N, C) of N images (H, W, K), as caffe.io.load_image gives them.

        oversample: the mean over ten crops (corners, centre, and the same mirrored); else the centre crop alone.
        """
        if len(inputs) == 0:
            raise ValueError("predict needs at least one image")
        images = [io.resize_image(image, self.image_dims) for image in inputs]
        crops = io.oversample(images, self.crop_dims) if oversample else self._centres(images)
        name = self.inputs[0]
        data = np.stack([self.transformer.preprocess(name, crop) for crop in crops])
        scores = self.forward_all(**{name: data})[self.outputs[0]]
        scores = scores.reshape(len(crops), -1)
        return scores.reshape(len(images), 10, -1).mean(axis=1) if oversample else scores

    def _centres(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        height, width = self.crop_dims
        top, left = (int(margin) for margin in (self.image_dims - self.crop_dims) // 2)
        return [image[top : top + height, left : left + width] for image in images]
