"""What drives an array: vectors of voltages, or of digits that pass its DACs."""

from dataclasses import dataclass

import numpy as np

from .errors import Error
from .model import FilePath
from .physical_array import PhysicalArray
from .tables import read_table

DRIVES = ("volts", "digits")


@dataclass(frozen=True)
class Inputs:
    """Input vectors of one array."""

    values: np.ndarray  # (vectors, rows)
    digits: bool  # of the DACs; else volts at the drivers

    def volts(self, array: PhysicalArray) -> np.ndarray:
        """The voltages behind the drivers, (vectors, rows)."""
        return array.dac_volts()[self.values.astype(np.int64)] if self.digits else self.values


def random_inputs(array: PhysicalArray, drive: str, vectors: int, seed: int) -> Inputs:
    """Uniform digits, or voltages uniform between 0 and v_read; rows that are not in use stay at 0."""
    if vectors < 1:
        raise Error(f"{vectors} vectors: at least 1 is needed")
    if seed < 0:
        raise Error(f"seed {seed}: expected 0 or more")
    digits = _is_digits(drive)
    rng = np.random.default_rng(seed)
    values = np.zeros((vectors, array.g.shape[0]))
    shape = (vectors, array.used_rows)
    if digits:
        values[:, : array.used_rows] = rng.integers(0, 2**array.hardware.dac_bits, shape)
    else:
        values[:, : array.used_rows] = rng.uniform(0, array.hardware.v_read_volt, shape)
    return Inputs(values, digits)


def read_inputs(array: PhysicalArray, drive: str, path: FilePath) -> Inputs:
    """Vectors of a file, one per row: a value for every row of the array, or for every row in use."""
    digits = _is_digits(drive)
    given = read_table(path, "inputs")
    rows = array.g.shape[0]
    if given.shape[1] == 1 and given.shape[0] in (rows, array.used_rows):  # one vector, written as a column
        given = given.T
    if given.shape[1] not in (rows, array.used_rows):
        wanted = f"{rows}" if rows == array.used_rows else f"{rows}, or {array.used_rows} for those in use"
        raise Error(f"{path}: vectors of {given.shape[1]} values, the array has rows: {wanted}")
    largest = 2**array.hardware.dac_bits - 1
    fine = (given >= 0) & (given <= largest) & (given == np.floor(given)) if digits else np.isfinite(given)
    if not fine.all():
        vector, row = np.argwhere(~fine)[0]
        expected = f"a DAC digit, 0 to {largest}" if digits else "a finite voltage"
        raise Error(f"{path}: vector {vector}, row {row} (from 0): {given[vector, row]}, expected {expected}")
    values = np.zeros((given.shape[0], rows))
    values[:, : given.shape[1]] = given
    return Inputs(values, digits)


def _is_digits(drive: str) -> bool:
    if drive not in DRIVES:
        raise Error(f"drive {drive!r}: expected {' or '.join(DRIVES)}")
    return drive == "digits"
