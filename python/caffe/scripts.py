"""What the scripts in python/ share: options about images, and errors as one line."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import io
from ._caffe import init_log, set_mode_cpu, set_mode_gpu
from .proto import caffe_pb2


def run(main: Callable[[Sequence[str] | None], None], argv: Sequence[str] | None = None) -> int:
    """The exit status of a script: what goes wrong is said in one line, with status 1."""
    init_log(2, stderr=True)  # the engine's log of every layer is for `caffe`
    try:
        main(argv)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        print(f"{Path(sys.argv[0]).name}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def numbers(text: str) -> tuple[int, ...]:
    """Integers between commas."""
    return tuple(int(part) for part in text.split(","))


def add_image_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what network there is and how its images are prepared."""
    parser.add_argument("--model_def", required=True, help="the network, a deploy prototxt")
    parser.add_argument("--pretrained_model", required=True, help="its trained parameters")
    parser.add_argument("--gpu", action="store_true", help="compute on the GPU")
    parser.add_argument("--mean_file", default="", help="the mean to subtract: .npy or .binaryproto; none by default")
    parser.add_argument("--input_scale", type=float, help="factor after the mean was subtracted")
    parser.add_argument("--raw_scale", type=float, default=255.0, help="factor before it (default: 255, for bytes)")
    parser.add_argument(
        "--channel_swap",
        type=numbers,
        default=(2, 1, 0),
        help="order of the channels (default: 2,1,0, RGB becomes BGR); '0' for grey images",
    )


def image_options(args: argparse.Namespace) -> dict[str, Any]:
    """Those options as Classifier and Detector take them; the mode is set as well."""
    set_mode_gpu() if args.gpu else set_mode_cpu()
    return {
        "mean": load_mean(args.mean_file) if args.mean_file else None,
        "input_scale": args.input_scale,
        "raw_scale": args.raw_scale,
        "channel_swap": args.channel_swap,
    }


def load_mean(file: str | os.PathLike[str]) -> np.ndarray:
    """A mean of channels or an image: an array (.npy), or what compute_image_mean writes (.binaryproto)."""
    path = Path(file)
    if path.suffix == ".npy":
        return np.load(path)
    blob = caffe_pb2.BlobProto()
    try:
        blob.ParseFromString(path.read_bytes())
        return io.blobproto_to_array(blob).squeeze(0)
    except OSError:
        raise
    except Exception:  # protobuf's own class of errors, and shapes that do not fit
        raise ValueError(f"{path} is no mean: neither a .npy file nor a BlobProto of one image") from None
