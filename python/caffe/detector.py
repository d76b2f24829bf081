"""Detector: class scores of windows in images, as R-CNN computes them.

A window (ymin, xmin, ymax, xmax), in pixels, is cut out, warped to the size of the net's input and classified. With
context_pad p the input also shows what surrounds the window, so that the window itself ends p pixels inside the input;
what lies outside the image is filled with the mean. R-CNN: Girshick et al., CVPR 2014, arXiv 1311.2524, appendix A.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from . import io
from ._caffe import TEST
from .classifier import make_transformer
from .pycaffe import Net

Window = Sequence[float]


class Detector(Net):
    """A net that scores windows of images."""

    def __init__(
        self,
        model_file: str | os.PathLike[str],
        pretrained_file: str | os.PathLike[str],
        mean: np.ndarray | None = None,
        input_scale: float | None = None,
        raw_scale: float | None = None,
        channel_swap: Sequence[int] | None = None,
        context_pad: int | None = None,
    ) -> None:
        """Loads the network.

        Args:
            model_file: deploy prototxt with one input of images.
            pretrained_file: trained parameters.
            mean, input_scale, raw_scale, channel_swap: see caffe.io.Transformer.
            context_pad: pixels of surroundings on each side of the net's input; none by default.
        """
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = make_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def detect_windows(
        self, images_windows: Iterable[tuple[str | os.PathLike[str], Iterable[Window]]]
    ) -> list[dict[str, Any]]:
        """Scores windows: [(image file, [(ymin, xmin, ymax, xmax), ...]), ...].

        Returns for each window a dict of `window`, `prediction` (C,) and `filename`.
        """
        name = self.inputs[0]
        found: list[dict[str, Any]] = []
        data = []
        for filename, windows in images_windows:
            image = io.load_image(filename)
            for window in windows:
                data.append(self.transformer.preprocess(name, self.crop(image, window)))
                found.append({"window": window, "filename": filename})
        if not found:
            return []
        scores = self.forward_all(**{name: np.stack(data)})[self.outputs[0]].reshape(len(found), -1)
        return [{**where, "prediction": score} for where, score in zip(found, scores, strict=True)]

    def detect_selective_search(self, image_fnames: Sequence[str]) -> list[dict[str, Any]]:
        """Scores the windows that selective search proposes.

        Needs the Python module selective_search_ijcv_with_python, which runs Matlab.
        """
        try:
            import selective_search_ijcv_with_python as selective_search
        except ImportError:
            raise ImportError(
                "detect_selective_search needs the Python module selective_search_ijcv_with_python "
                "(github.com/sergeyk/selective_search_ijcv_with_python); or give windows to detect_windows"
            ) from None
        files = [os.path.abspath(name) for name in image_fnames]
        windows = selective_search.get_windows(files, cmd="selective_search_rcnn")
        return self.detect_windows(zip(image_fnames, windows, strict=True))

    def configure_crop(self, context_pad: int | None) -> None:
        """Sets the width of the surroundings, and what fills them outside the image: the mean, as an image."""
        name = self.inputs[0]
        height, width = self.blobs[name].shape[2:]
        if context_pad is not None and not 0 <= 2 * context_pad < min(height, width):
            raise ValueError(f"context_pad is {context_pad}; an input of {height} x {width} needs 0 to less than half")
        self.context_pad = context_pad
        # The image that the transformer makes zeros of.
        zeros = np.zeros(self.blobs[name].shape[1:], np.float32)
        self.crop_mean = self.transformer.deprocess(name, zeros)

    def crop(self, im: np.ndarray, window: Window) -> np.ndarray:
        """The window of an image (H, W, K), with its surroundings when there is a context_pad: then of the size of the
        net's input."""
        ymin, xmin, ymax, xmax = (round(float(edge)) for edge in window)
        inside = im[max(ymin, 0) : max(ymax, 0), max(xmin, 0) : max(xmax, 0)]
        if inside.size == 0:
            raise ValueError(f"window {tuple(window)} has no pixel of the image, {im.shape[0]} x {im.shape[1]}")
        if not self.context_pad:
            return inside
        result = self.crop_mean.copy()
        rows, from_rows = _warp(ymin, ymax, im.shape[0], result.shape[0], self.context_pad)
        columns, from_columns = _warp(xmin, xmax, im.shape[1], result.shape[1], self.context_pad)
        size = (rows.stop - rows.start, columns.stop - columns.start)
        result[rows, columns] = io.resize_image(im[from_rows, from_columns], size)
        return result


def _warp(first: int, last: int, length: int, target: int, pad: int) -> tuple[slice, slice]:
    """One axis of a warp that takes window [first, last) to [pad, target - pad).

    Returns which of the `target` pixels the image covers, and which of its `length` pixels cover them.
    """
    scale = (target - 2 * pad) / (last - first)
    start, stop = first - pad / scale, last + pad / scale  # what the input shows
    from_start, from_stop = max(round(start), 0), min(round(stop), length)
    to_start = min(max(round((from_start - start) * scale), 0), target - 1)
    to_stop = max(min(round((from_stop - start) * scale), target), to_start + 1)
    return slice(to_start, to_stop), slice(from_start, from_stop)
