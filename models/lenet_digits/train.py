"""Trains lenet_digits.caffemodel with `caffe train`, as `rxnn demo` does.

python models/lenet_digits/train.py              # trains and writes lenet_digits.caffemodel
python models/lenet_digits/train.py --make-data  # first makes digits.npz from scikit-learn's copy of the UCI digits
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from rxnn.demo import find_binaries, train

HERE = Path(__file__).resolve().parent
SEED = 1
TEST_IMAGES = 450  # nine batches of 50


def make_data(path: Path) -> None:
    """Writes images, labels and the choice of test images."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    test = np.sort(np.random.default_rng(SEED).permutation(len(digits.target))[:TEST_IMAGES])
    np.savez_compressed(
        path,
        images=digits.images.astype(np.uint8),
        labels=digits.target.astype(np.uint8),
        test=test.astype(np.uint16),
    )


def main() -> None:
    """Trains and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make-data", action="store_true", help="make digits.npz first (needs scikit-learn)")
    parser.add_argument("--out", type=Path, default=HERE / "lenet_digits.caffemodel", help="where the weights go")
    arguments = parser.parse_args()
    if arguments.make_data:
        make_data(HERE / "digits.npz")
    with tempfile.TemporaryDirectory() as folder:
        _, weights = train(Path(folder), find_binaries(), Console())
        shutil.copyfile(weights, arguments.out)


if __name__ == "__main__":
    main()
