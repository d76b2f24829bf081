"""pycaffe: run and inspect Caffe networks from Python.

>>> import caffe
>>> net = caffe.Net("deploy.prototxt", caffe.TEST, weights="net.caffemodel")
>>> net.forward(data=images)["prob"]
"""

from . import io, proto
from ._caffe import (
    TEST,
    TRAIN,
    Blob,
    Error,
    Layer,
    __version__,
    init_log,
    layer_type_list,
    log,
    set_mode_cpu,
    set_mode_gpu,
    set_random_seed,
)
from .pycaffe import Net

__all__ = [
    "TEST",
    "TRAIN",
    "Blob",
    "Error",
    "Layer",
    "Net",
    "__version__",
    "init_log",
    "io",
    "layer_type_list",
    "log",
    "proto",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_random_seed",
]
