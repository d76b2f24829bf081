"""Time of one vector-matrix product of a 64 x 64 array: ngspice over the fast crossbar model, one thread each.

    python benchmarks/spice_benchmark.py

docs/benchmarks.md, "Circuit simulation", says what each line holds and does not hold. Both sides compute the same
product: the worst relative difference of a column current is printed with the times.
"""

import numpy as np
from rich.console import Console
from rich.table import Table

from rxnn import load_hardware
from rxnn.inputs import Inputs, random_inputs
from rxnn.physical_array import PhysicalArray
from rxnn.spice import check, netlist, run_ngspice
from rxnn.spice.check import time_kernel

SIZE = 64
SWEEP_VECTORS = 10
SINGLE_RUNS = 3


def main() -> None:
    """Measures and prints."""
    hardware = load_hardware(f"rows: {SIZE} cols: {SIZE}")
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 2**hardware.cell_bits, (SIZE, SIZE))
    g_off, g_on = 1 / hardware.r_off_ohm, 1 / hardware.r_on_ohm
    g = g_off + digits * (g_on - g_off) / (2**hardware.cell_bits - 1)
    array = PhysicalArray(f"{SIZE} x {SIZE} cells of random digits", g, hardware, SIZE, SIZE)
    inputs = random_inputs(array, "volts", SWEEP_VECTORS, seed=0)

    first = netlist(array, Inputs(inputs.values[:1], digits=False))
    singles = [run_ngspice(first, 1, SIZE) for _ in range(SINGLE_RUNS)]
    result = check(array, inputs)
    times = result.times
    hardware.adc_bits = 0
    folded = time_kernel(hardware)

    ngspice = {
        "one vector, the whole process": min(run.cpu_seconds for run in singles),
        "one vector, analysis alone": min(min(run.analysis_seconds, run.cpu_seconds) for run in singles),
        f"sweep of {SWEEP_VECTORS} vectors, analysis alone": times.ngspice_vmm,
    }
    fcm = {
        "8-bit ADCs": times.fcm_vmm,
        "ideal ADCs": folded,
        f"8-bit ADCs, and extraction over {SWEEP_VECTORS} vectors": times.fcm_vmm_with_extraction,
    }
    table = Table(title=f"Seconds per vector-matrix product, {array.name}, one thread each, and ratios")
    table.add_column("ngspice")
    table.add_column("seconds", justify="right")
    for name in fcm:
        table.add_column(f"FCM, {name}", justify="right")
    table.add_row("", "", *(f"{seconds:.3g}" for seconds in fcm.values()), end_section=True)
    for name, seconds in ngspice.items():
        table.add_row(name, f"{seconds:.3g}", *(f"{seconds / own:.2g}" for own in fcm.values()))
    console = Console(width=150)
    console.print(table)
    console.print(f"extraction of G_eq, once per programmed array: {times.fcm_extraction:.3g} s")
    share = min(run.cpu_seconds / run.wall_seconds for run in singles)
    console.print(f"ngspice had {share:.0%} of a processor or more; far below 100 % its analysis time is too long")
    console.print(f"worst relative difference of a column current: {result.worst:.2e}")


if __name__ == "__main__":
    main()
