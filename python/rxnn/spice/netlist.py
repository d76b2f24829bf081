"""Netlists of arrays."""

from pathlib import Path

from .. import _rxnn
from ..inputs import Inputs
from ..model import FilePath
from ..physical_array import PhysicalArray
from ..weights import OutputFiles


def netlist(array: PhysicalArray, inputs: Inputs) -> str:
    """The text of a netlist for ngspice: an operating point, or a sweep over the numbers of several vectors."""
    return _rxnn.spice_netlist(
        array.hardware.SerializeToString(),
        array.g,
        inputs.values,
        inputs.digits,
        array.used_rows,
        f"RxNN crossbar: {array.name}",
    )


def export_netlist(array: PhysicalArray, inputs: Inputs, path: FilePath) -> None:
    """Writes a netlist."""
    files = OutputFiles(path)
    text = netlist(array, inputs)
    with files:
        Path(files.temporary[0]).write_text(text, encoding="utf-8")
