"""RxNN: deep neural networks on resistive crossbars.

>>> import rxnn
>>> g_eq = rxnn.equivalent_conductance(g)                   # one array with its wires
>>> y = rxnn.crossbar_matmul(x, w, "rram_64x64")            # one matrix on arrays
>>> rxnn.evaluate("net.prototxt", "net.caffemodel", ["ideal", "rram_64x64"])

The command `rxnn` does the same for files: rxnn --help.
"""

from ._rxnn import HardwareError, SolveError, SolveSummary
from .add_data import add_data
from .convert import LayerReport, convert
from .crossbar import crossbar_matmul, equivalent_conductance, node_voltages, program_matrix
from .errors import Error
from .evaluate import Evaluation, Result, evaluate, take_apart
from .hardware import load_hardware, presets
from .inputs import Inputs, random_inputs, read_inputs
from .physical_array import PhysicalArray, layer_array, matrix_array
from .solve import ArraySolution, CurveTable, Sinh, effective_conductance, solve_array

__all__ = [
    "ArraySolution",
    "CurveTable",
    "Error",
    "Evaluation",
    "HardwareError",
    "Inputs",
    "LayerReport",
    "PhysicalArray",
    "Result",
    "Sinh",
    "SolveError",
    "SolveSummary",
    "add_data",
    "convert",
    "crossbar_matmul",
    "effective_conductance",
    "equivalent_conductance",
    "evaluate",
    "layer_array",
    "load_hardware",
    "matrix_array",
    "node_voltages",
    "presets",
    "program_matrix",
    "random_inputs",
    "read_inputs",
    "solve_array",
    "take_apart",
]
