"""Trains lenet_digits.caffemodel through pycaffe: forward, backward, SGD with momentum on the gradients.

python models/lenet_digits/train.py              # trains and writes lenet_digits.caffemodel
python models/lenet_digits/train.py --make-data  # first makes digits.npz from scikit-learn's copy of the UCI digits
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import caffe
from rxnn.demo import Digits, as_bytes

HERE = Path(__file__).resolve().parent
SEED = 1
TEST_IMAGES = 450  # nine batches of 50
EPOCHS = 60
BATCH = 50
LEARNING_RATE = 0.05
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4


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


def train(images: np.ndarray, labels: np.ndarray, epochs: int) -> caffe.Net:
    """SGD with momentum and weight decay; the learning rate falls linearly to 0."""
    caffe.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    net = caffe.Net(HERE / "train_test.prototxt", caffe.TRAIN)
    parameters = [blob for blobs in net.params.values() for blob in blobs]
    velocities = [np.zeros_like(blob.data) for blob in parameters]
    steps = epochs * (len(images) // BATCH)
    step = 0
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        losses = []
        for first in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            losses.append(float(net.forward(data=images[chosen], label=labels[chosen])["loss"]))
            net.clear_param_diffs()
            net.backward()
            rate = LEARNING_RATE * (1 - step / steps)
            for blob, velocity in zip(parameters, velocities, strict=True):
                velocity *= MOMENTUM
                velocity -= rate * (blob.diff + WEIGHT_DECAY * blob.data)
                blob.data[...] += velocity
            step += 1
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")
    return net


def accuracy(net: caffe.Net, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose largest output is their label."""
    scores = net.forward_all(blobs=["ip2"], data=images, label=labels)["ip2"]
    return float(np.mean(scores.argmax(axis=1) == labels))


def main() -> None:
    """Trains and writes the weights; prints the accuracy on the test images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make-data", action="store_true", help="make digits.npz first (needs scikit-learn)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"passes over the training images ({EPOCHS})")
    arguments = parser.parse_args()
    if arguments.make_data:
        make_data(HERE / "digits.npz")
    digits = Digits.load(HERE / "digits.npz")
    images = as_bytes(digits.images)[:, np.newaxis].astype(np.float32) / 256
    train_set = np.setdiff1d(np.arange(len(images)), digits.test)
    net = train(images[train_set], digits.labels[train_set], arguments.epochs)
    print(f"test accuracy {accuracy(net, images[digits.test], digits.labels[digits.test]):.4f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.caffemodel"
        net.save(path)
        (HERE / "lenet_digits.caffemodel").write_bytes(path.read_bytes())


if __name__ == "__main__":
    main()
