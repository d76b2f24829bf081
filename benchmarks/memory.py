"""Memory over time: a net that runs, is reshaped, or is made and dropped, thousands of times.

    python benchmarks/memory.py [--rounds N] [NAME...]

Prints the resident memory after a tenth of the rounds and at ten places from there to the end, in MiB: flat where
nothing leaks.
"""

import argparse
import gc
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import caffe

NET = """
name: "memory"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 32 dim: 32 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "norm" type: "BatchNorm" bottom: "conv" top: "norm" }
layer { name: "scale" type: "Scale" bottom: "norm" top: "norm" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "norm" top: "norm" }
layer { name: "pool" type: "Pooling" bottom: "norm" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "crossbar" type: "CrossbarConvolution" bottom: "pool" top: "crossbar"
        convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } }
        crossbar_param { rows: 32 cols: 16 } }
layer { name: "global" type: "Pooling" bottom: "crossbar" top: "global"
        pooling_param { pool: AVE global_pooling: true } }
layer { name: "ip" type: "InnerProduct" bottom: "global" top: "ip"
        inner_product_param { num_output: 4096 weight_filler { type: "xavier" } } }
"""
PYTHON_NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 65536 } } }
layer { name: "twice" type: "Python" bottom: "data" top: "twice"
        python_param { module: "memory" layer: "TwiceLayer" } }
"""


class TwiceLayer(caffe.Layer):
    """Keeps something of its own as large as a blob."""

    def setup(self, bottom: caffe.Layer, top: caffe.Layer) -> None:
        """Makes what is kept."""
        self.kept = np.ones(65536, np.float32)

    def reshape(self, bottom: caffe.Layer, top: caffe.Layer) -> None:
        """As the bottom."""
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom: caffe.Layer, top: caffe.Layer) -> None:
        """Twice the bottom."""
        top[0].data[...] = 2 * bottom[0].data

    def backward(self, top: caffe.Layer, propagate_down: list[bool], bottom: caffe.Layer) -> None:
        """There is no gradient."""


def cases(folder: Path) -> dict[str, Callable[[], Callable[[int], None]]]:
    """By name: what prepares the rounds, and gives what is done in each."""
    (folder / "net.prototxt").write_text(NET)
    (folder / "python.prototxt").write_text(PYTHON_NET)
    weights = str(folder / "net.caffemodel")

    def make(name: str = "net") -> caffe.Net:
        return caffe.Net(str(folder / f"{name}.prototxt"), caffe.TEST)

    make().save(weights)

    def forward() -> Callable[[int], None]:
        net = make()
        return lambda index: net.forward()

    def reshape() -> Callable[[int], None]:
        net = make()

        def one(index: int) -> None:
            net.blobs["data"].reshape(1 + index % 3, 3, 16 + 8 * (index % 4), 24)
            net.forward()

        return one

    def load() -> Callable[[int], None]:
        def one(index: int) -> None:
            net = caffe.Net(str(folder / "net.prototxt"), caffe.TEST, weights=weights)
            net.forward()

        return one

    def held_blobs() -> Callable[[int], None]:
        held: list[np.ndarray] = []

        def one(index: int) -> None:
            net = make()
            held[:] = [net.blobs["data"].data, net.params["ip"][0].data]
            del net
            held[0][...] = index  # the memory outlives the net

        return one

    def python_layer() -> Callable[[int], None]:
        def one(index: int) -> None:
            make("python").forward()

        return one

    def errors() -> Callable[[int], None]:
        (folder / "wrong.prototxt").write_text(NET.replace("num_output: 4096", "num_output: 4096 axis: 7"))

        def one(index: int) -> None:
            try:
                make("wrong")
            except RuntimeError:
                return
            raise AssertionError("the net should not have been built")

        return one

    return {
        "forward": forward,
        "reshape": reshape,
        "load": load,
        "held_blobs": held_blobs,
        "python_layer": python_layer,
        "errors": errors,
    }


def resident() -> float:
    """The resident memory of this process in MiB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def measure(prepare: Callable[[], Callable[[int], None]], rounds: int) -> list[float]:
    """The resident memory after a tenth of the rounds and at ten places until the end."""
    one = prepare()
    first = rounds // 10
    places = [first + (rounds - first) * step // 10 for step in range(11)]
    figures = []
    for start, end in zip([0, *places], places, strict=False):
        for index in range(start, end):
            one(index)
        figures.append(resident())
    return figures


def main() -> None:
    """Measures the cases that are named."""
    sys.modules.setdefault("memory", sys.modules[__name__])  # where the Python layer's class is looked for
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all by default")
    parser.add_argument("--rounds", type=int, default=10_000)
    arguments = parser.parse_args()
    caffe.init_log(2)
    with tempfile.TemporaryDirectory() as folder:
        known = cases(Path(folder))
        for name in arguments.names or known:
            figures = measure(known[name], arguments.rounds)
            print(f"{name:13s} " + " ".join(f"{figure:7.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
