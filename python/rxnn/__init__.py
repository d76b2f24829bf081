"""RxNN: deep neural networks on resistive crossbars.

>>> import rxnn
>>> g_eq = rxnn.equivalent_conductance(g)                   # one array with its wires
>>> y = rxnn.crossbar_matmul(x, w, "rram_64x64")            # one matrix on arrays
>>> rxnn.evaluate("net.prototxt", "net.caffemodel", ["ideal", "rram_64x64"])

The command `rxnn` does the same for files: rxnn --help.
"""

from ._rxnn import HardwareError
from .add_data import add_data
from .convert import LayerReport, convert
from .crossbar import crossbar_matmul, equivalent_conductance, node_voltages, program_matrix
from .errors import Error
from .evaluate import Evaluation, Result, evaluate, take_apart
from .hardware import load_hardware, presets

__all__ = [
    "Error",
    "Evaluation",
    "HardwareError",
    "LayerReport",
    "Result",
    "add_data",
    "convert",
    "crossbar_matmul",
    "equivalent_conductance",
    "evaluate",
    "load_hardware",
    "node_voltages",
    "presets",
    "program_matrix",
    "take_apart",
]
