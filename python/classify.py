#!/usr/bin/env python3
"""Classifies images: writes the scores of one image, of a folder's images, or of an array of images.

    python classify.py cat.jpg scores.npy --model_def deploy.prototxt --pretrained_model net.caffemodel

The result is a float32 array (images, classes) in a .npy file.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import caffe
from caffe import scripts
from caffe.files import write_beside


def load_inputs(file: str, ext: str, color: bool) -> list[np.ndarray]:
    """The images of a .npy array (N, H, W, K), of a folder (files that end in `ext`, sorted), or of one file."""
    path = Path(file)
    if path.suffix == ".npy":
        print(f"Loading file: {path}")
        array = np.load(path)
        if array.ndim != 4:
            raise ValueError(f"{path} has shape {array.shape}; it must be (images, height, width, channels)")
        return list(array)
    if path.is_dir():
        print(f"Loading folder: {path}")
        files = sorted(path.glob(f"*.{ext.removeprefix('.')}"))
        if not files:
            raise ValueError(f"{path} has no files that end in .{ext}; choose with --ext")
        return [caffe.io.load_image(name, color) for name in files]
    print(f"Loading file: {path}")
    return [caffe.io.load_image(path, color)]


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input_file", help="an image, a folder of images, or a .npy array (N, H, W, K)")
    parser.add_argument("output_file", help="the .npy file to write")
    scripts.add_image_options(parser)
    parser.add_argument("--center_only", action="store_true", help="the centre crop instead of ten crops")
    parser.add_argument(
        "--images_dim", type=scripts.numbers, default=(256, 256), help="size images are resized to (default: 256,256)"
    )
    parser.add_argument("--ext", default="jpg", help="ending of the files in a folder (default: jpg)")
    args = parser.parse_args(argv)

    options = scripts.image_options(args)
    print(f"{'GPU' if args.gpu else 'CPU'} mode")
    classifier = caffe.Classifier(args.model_def, args.pretrained_model, image_dims=args.images_dim, **options)
    inputs = load_inputs(args.input_file, args.ext, color=len(args.channel_swap) == 3)
    print(f"Classifying {len(inputs)} inputs.")
    start = time.perf_counter()
    scores = classifier.predict(inputs, oversample=not args.center_only)
    print(f"Done in {time.perf_counter() - start:.2f} s.")
    output = args.output_file if args.output_file.endswith(".npy") else f"{args.output_file}.npy"
    print(f"Saving results into {output}")
    write_beside(output, lambda name: np.save(name, scores))


if __name__ == "__main__":
    sys.exit(scripts.run(main))
