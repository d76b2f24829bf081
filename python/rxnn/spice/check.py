"""The fast crossbar model against ngspice on one array."""

import time
from dataclasses import dataclass

import numpy as np

from caffe.proto.caffe_pb2 import CrossbarParameter

from .. import _rxnn
from ..inputs import Inputs
from ..physical_array import PhysicalArray
from .netlist import netlist
from .ngspice import run_ngspice

_KERNEL_VECTORS = 4096
_REPEATS = 5


@dataclass(frozen=True)
class Times:
    """Seconds; one thread each. A VMM is one input vector through one array."""

    vectors: int
    ngspice_wall: float  # the whole run: start, reading, ordering, all vectors
    ngspice_cpu: float  # processor time of the same
    ngspice_analysis: float  # by its own count, without start and reading
    fcm_extraction: float  # processor time of G_eq, once per programmed array
    fcm_vmm: float  # processor time of one VMM of the kernel in a batch of many
    newton: float | None = None  # processor time of Newton's method on all vectors, where cells are not linear

    @property
    def ngspice_vmm(self) -> float:
        """Analysis alone, per vector; not more than the processor time, which a busy machine does not stretch."""
        return min(self.ngspice_analysis, self.ngspice_cpu) / self.vectors

    @property
    def fcm_vmm_with_extraction(self) -> float:
        """The extraction shared out over the vectors of this check."""
        return self.fcm_vmm + self.fcm_extraction / self.vectors

    @property
    def ratio(self) -> float:
        """Ngspice over FCM, extraction not counted."""
        return self.ngspice_vmm / self.fcm_vmm

    @property
    def ratio_with_extraction(self) -> float:
        """Ngspice over FCM, extraction counted."""
        return self.ngspice_vmm / self.fcm_vmm_with_extraction


@dataclass(frozen=True)
class SpiceCheck:
    """Column currents of both, and their distance."""

    array: PhysicalArray
    ngspice: np.ndarray  # (vectors, columns), ampere
    fcm: np.ndarray  # (vectors, columns), ampere
    errors: np.ndarray  # (vectors, columns): |FCM - ngspice| / sum_i G_eq_ij |V_i|
    tolerance: float
    times: Times
    newton_errors: np.ndarray | None = None  # the same of Newton's method, where cells are not linear

    @property
    def worst(self) -> float:
        """Largest relative error."""
        return float(self.errors.max())

    @property
    def newton_worst(self) -> float | None:
        """Largest relative error of Newton's method; None where cells are linear."""
        return None if self.newton_errors is None else float(self.newton_errors.max())

    @property
    def agrees(self) -> bool:
        """Whether what is exact, the FCM or with cells that are not linear Newton's method, is within the tolerance."""
        return (self.worst if self.newton_worst is None else self.newton_worst) <= self.tolerance


def check(
    array: PhysicalArray,
    inputs: Inputs,
    *,
    tolerance: float = 1e-9,
    program: str | None = None,
    timeout: float = 600.0,
) -> SpiceCheck:
    """Runs both on the same vectors.

    Args:
        array: what to solve.
        inputs: its input vectors.
        tolerance: relative error that still counts as agreement.
        program: ngspice's path; default: the one of the search path.
        timeout: seconds after which ngspice is stopped.
    """
    volts = inputs.volts(array)
    threads = _rxnn.set_num_threads(1)
    try:
        start = time.process_time()
        g_eq = array.equivalent_conductance()
        extraction = time.process_time() - start
        fcm_vmm = time_kernel(array.hardware)
        exact, newton = None, None
        if not array.linear:
            start = time.process_time()
            exact = array.currents(volts)
            newton = time.process_time() - start
    finally:
        _rxnn.set_num_threads(threads)
    run = run_ngspice(netlist(array, inputs), len(volts), array.g.shape[1], program=program, timeout=timeout)
    fcm = volts @ g_eq
    # With inputs of one sign the scale is the current itself; else it is what the current is a difference of.
    scale = np.abs(volts) @ g_eq
    errors = _relative(fcm - run.currents, scale)
    newton_errors = None if exact is None else _relative(exact - run.currents, scale)
    times = Times(len(volts), run.wall_seconds, run.cpu_seconds, run.analysis_seconds, extraction, fcm_vmm, newton)
    return SpiceCheck(array, run.currents, fcm, errors, tolerance, times, newton_errors)


def _relative(difference: np.ndarray, scale: np.ndarray) -> np.ndarray:
    size = np.abs(difference)
    return np.divide(size, scale, out=np.where(size > 0, np.inf, 0.0), where=scale > 0)


def time_kernel(hardware: CrossbarParameter) -> float:
    """Seconds of processor time of one VMM in CrossbarMatrix::Multiply, for a matrix that fills one array of this size.

    The batch is of 4096 random vectors, the best of five; every read of an array, its converters included, counts as a
    VMM: streams x slices x polarities for one vector. Where converters are ideal they all fold into one product.
    """
    param = CrossbarParameter()
    param.CopyFrom(hardware)
    param.adc_range = CrossbarParameter.FULL_SCALE  # the kernel's work does not depend on the range
    rng = np.random.default_rng(0)
    matrix = _rxnn.CrossbarMatrix(param.SerializeToString(), "time", 1, param.rows, param.cols)
    matrix.program(rng.normal(size=(param.cols, param.rows)).astype(np.float32))
    codes = rng.integers(0, 2**param.input_bits, (_KERNEL_VECTORS, param.rows)).astype(np.int32)
    best = float("inf")
    for _ in range(_REPEATS):
        start = time.process_time()
        matrix.multiply(codes)
        best = min(best, time.process_time() - start)
    return best / (_KERNEL_VECTORS * _products(param, matrix))


def _products(hardware: CrossbarParameter, matrix: _rxnn.CrossbarMatrix) -> int:
    """Reads of arrays that one vector of positive codes goes through; of twins that share a converter as one."""
    if hardware.adc_bits == 0 and hardware.read_noise_sigma == 0:
        return 1  # slices, streams and signs are folded into one matrix
    streams = -(-hardware.input_bits // hardware.dac_bits)
    arrays = 1 if hardware.subtraction == CrossbarParameter.ANALOG else matrix.num_polarities
    return streams * matrix.num_slices * arrays
