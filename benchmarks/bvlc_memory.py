"""What BVLC Caffe 1.0 would hold for a net on the CPU, at the least: calculated, for the layers of networks.py.

Counted are blobs and what layers keep between passes; not the program, libraries, and what lives for one call of a
layer (LRN's padded squares) or is a plane or less (multipliers of ones, sums of channels).
"""

import math
from collections.abc import Iterable
from pathlib import Path

from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2

MAX = caffe_pb2.PoolingParameter.MAX
NOTHING = {"Input", "ReLU", "Concat", "Eltwise", "InnerProduct", "Split"}  # keep nothing as large as a blob


def _kept(net: caffe.Net, path: str, train: bool) -> float:
    """Values that layers hold beside their blobs."""
    params = {layer.name: layer for layer in text_format.Parse(Path(path).read_text(), caffe_pb2.NetParameter()).layer}
    kept = 0
    for name, layer in net.layer_dict.items():
        bottoms, tops = net.bottom_names[name], net.top_names[name]
        in_place = bottoms[:1] == tops[:1]
        if layer.type == "Convolution":
            # col_buffer_: im2col of one image, in all but 1x1 convolutions with a stride of 1 and no pad, which are
            # products as they stand.
            kernel = math.prod(net.params[name][0].shape[2:])
            bottom, top = net.blobs[bottoms[0]].shape, net.blobs[tops[0]].shape
            if kernel > 1 or bottom[2:] != top[2:]:
                kept += bottom[1] * kernel * math.prod(top[2:])
        elif layer.type == "Pooling":
            # max_idx_: where each maximum was, an int, in both phases.
            if params[name].pooling_param.pool == MAX:
                kept += math.prod(net.blobs[tops[0]].shape)
        elif layer.type == "LRN":
            # scale_: what is raised to -beta, in both phases.
            kept += math.prod(net.blobs[bottoms[0]].shape)
        elif layer.type == "BatchNorm":
            # temp_: squares, then the deviation of every value; x_norm_: a copy of the result. Forward fills both in
            # both phases, also with stored statistics. Backward in place copies the top's gradient to x_norm_'s, as
            # the bottom's takes its place.
            kept += (3 if train and in_place else 2) * math.prod(net.blobs[bottoms[0]].shape)
        elif layer.type == "Scale":
            # temp_: in place, a copy of the bottom for the gradient of the factors. Forward fills it in both phases,
            # as it is not told whether a Backward follows.
            kept += math.prod(net.blobs[bottoms[0]].shape) if in_place else 0
        elif layer.type == "SoftmaxWithLoss":
            kept += math.prod(net.blobs[bottoms[0]].shape)  # prob_
        else:
            assert layer.type in NOTHING, f"what does BVLC Caffe's {layer.type} keep?"
    return kept


def _with_gradient(net: caffe.Net) -> set[str]:
    """Blobs that a backward pass reaches: memory of gradients is taken when it is first written."""
    reached: set[str] = set()
    for name in net.layer_dict:
        if name in net.params or reached.intersection(net.bottom_names[name]):
            reached.update(net.top_names[name])
    return reached


def bvlc_mib(net: caffe.Net, path: str, train: bool) -> tuple[float, float]:
    """MiB of blobs, and of what layers keep. `path`: the prototxt of `net`.

    Blobs are values; in training also gradients, and gradients and momentum of weights. The tops of a Split share the
    values of the bottom, but have gradients of their own.
    """

    def count(names: Iterable[str]) -> int:
        return sum(math.prod(net.blobs[name].shape) for name in names)

    split = {top for name, layer in net.layer_dict.items() if layer.type == "Split" for top in net.top_names[name]}
    weights = sum(math.prod(blob.shape) for blobs in net.params.values() for blob in blobs)
    values = count(name for name in net.blobs if name not in split) + weights * (3 if train else 1)
    if train:
        values += count(_with_gradient(net))
    return values * 4 / 2**20, _kept(net, path, train) * 4 / 2**20
