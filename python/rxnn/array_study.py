"""What wires do to one array: voltage lost at its cells, conductances as seen from outside, errors of its columns."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from .inputs import Inputs
from .model import FilePath
from .physical_array import PhysicalArray
from .weights import OutputFiles, require_folder_place

_BINS = 60


@dataclass(frozen=True)
class ArrayStudy:
    """Numbers of one array; maps are of all its cells, errors of the columns in use."""

    array: PhysicalArray
    volts: np.ndarray  # (rows,): the input vector of the map
    ir_drop: np.ndarray  # (rows, columns): (V_i - (u_ij - w_ij)) / max |V|, the share a cell does not get
    g_eq: np.ndarray  # (rows, columns), siemens: what a volt at the row's driver, alone, makes the column carry
    errors: np.ndarray  # (vectors, columns in use): I / I_ideal - 1; NaN where I_ideal is 0

    @property
    def in_use(self) -> tuple[slice, slice]:
        """The cells that the layer uses, or all."""
        return np.s_[: self.array.used_rows, : self.array.used_cols]

    def relative_change(self) -> np.ndarray:
        """G_eq / g - 1 of the cells in use; NaN where g is 0."""
        g = self.array.g[self.in_use]
        return np.divide(self.g_eq[self.in_use], g, out=np.full(g.shape, np.nan), where=g > 0) - 1


def study_array(array: PhysicalArray, inputs: Inputs, volts: np.ndarray | None = None) -> ArrayStudy:
    """Solves an array for one input vector, and its columns' currents for many.

    Args:
        array: what to look at.
        inputs: vectors for the errors of the columns.
        volts: the vector of the map; default: v_read at every row in use.
    """
    if volts is None:
        volts = np.zeros(array.g.shape[0])
        volts[: array.used_rows] = array.hardware.v_read_volt
    word, bit = array.node_voltages(volts)
    largest = np.abs(volts).max() or 1.0
    drop = (volts[:, None] - (word - bit)) / largest
    g_eq = array.equivalent_conductance()
    vectors = inputs.volts(array)
    columns = np.s_[:, : array.used_cols]
    ideal = array.ideal_currents(vectors)[columns]
    change = (vectors @ g_eq)[columns] - ideal
    errors = np.divide(change, ideal, out=np.full(ideal.shape, np.nan), where=ideal != 0)
    return ArrayStudy(array, volts, drop, g_eq, errors)


def error_histogram(study: ArrayStudy) -> tuple[np.ndarray, np.ndarray]:
    """Bin edges, and counts (columns in use, bins): how often a column's relative error was in which bin."""
    known = study.errors[np.isfinite(study.errors)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    if high - low < 1e-12:  # no error at all, or one and the same: a bin needs a width
        low, high = low - 1e-3, high + 1e-3
    edges = np.linspace(low, high, _BINS + 1)
    counts = np.array([np.histogram(column[np.isfinite(column)], edges)[0] for column in study.errors.T])
    return edges, counts


def study_json(study: ArrayStudy) -> dict[str, Any]:
    """All numbers of the pictures, and what sums them up."""
    drop = study.ir_drop[study.in_use]
    worst = np.unravel_index(np.argmax(drop), drop.shape)
    change = study.relative_change()
    edges, counts = error_histogram(study)
    return {
        "array": study.array.describe(),
        "ir_drop": {
            "inputs_volt": study.volts.tolist(),
            "mean": float(drop.mean()),
            "worst": float(drop.max()),
            "worst_cell": [int(index) for index in worst],
            "map": study.ir_drop.tolist(),
        },
        "conductance": {
            "mean_relative_change": _number(change, np.mean),
            "worst_relative_change": _number(change, lambda known: known[np.argmax(np.abs(known))]),
            "programmed_siemens": study.array.g.tolist(),
            "effective_siemens": study.g_eq.tolist(),
        },
        "column_error": {
            "vectors": len(study.errors),
            **{
                name: [_number(column, function) for column in study.errors.T]
                for name, function in (("mean", np.mean), ("std", np.std), ("min", np.min), ("max", np.max))
            },
            "bin_edges": edges.tolist(),
            "counts": counts.tolist(),
        },
    }


def study_table(study: ArrayStudy) -> Table:
    """What sums the numbers up, in per cent."""
    numbers = study_json(study)
    drop, conductance = numbers["ir_drop"], numbers["conductance"]
    table = Table(title=study.array.name)
    table.add_column("")
    table.add_column("mean", justify="right")
    table.add_column("worst", justify="right")
    table.add_column("where")
    row, column = drop["worst_cell"]
    table.add_row("IR drop of a cell", f"{drop['mean']:.3%}", f"{drop['worst']:.3%}", f"row {row}, column {column}")
    table.add_row(
        "change of its conductance",
        _percent(conductance["mean_relative_change"]),
        _percent(conductance["worst_relative_change"]),
        "",
    )
    known = np.isfinite(study.errors)
    if known.any():
        vector, column = np.unravel_index(np.argmax(np.where(known, np.abs(study.errors), -1)), study.errors.shape)
        table.add_row(
            f"error of a column's current, {len(study.errors)} vectors",
            f"{study.errors[known].mean():.3%}",
            f"{study.errors[vector, column]:.3%}",
            f"vector {vector}, column {column}",
        )
    return table


def write_study(study: ArrayStudy, folder: FilePath) -> list[Path]:
    """Writes ir_drop.png, conductance.png, column_error.png and array.json into a folder, all or none of them.

    Makes the folder where it is not there. Returns the files.
    """
    from . import figures  # matplotlib takes long to import

    require_folder_place(folder)
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = [Path(folder) / name for name in ("ir_drop.png", "conductance.png", "column_error.png", "array.json")]
    files = OutputFiles(*paths)
    with files:
        ir_drop, conductance, column_error, numbers = files.temporary
        figures.draw_ir_drop(study, ir_drop)
        figures.draw_conductance(study, conductance)
        figures.draw_column_error(study, column_error)
        numbers.write_text(json.dumps(study_json(study)) + "\n", encoding="utf-8")
    return paths


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.3%}"


def _number(values: np.ndarray, function: Any) -> float | None:
    """Of those that are known; None where none is (JSON has no NaN)."""
    known = values[np.isfinite(values)]
    return float(function(known)) if known.size else None
