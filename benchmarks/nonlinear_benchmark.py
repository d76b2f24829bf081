"""How far the fast model of cells that are not linear is from the whole circuit solved by Newton's method.

For I = g V0 sinh(V / V0) with V0 over v_read, and array sizes: relative errors of the column currents (over columns and
64 random input vectors that it was not fitted to) of

  slope     the linear array with the conductances at 0 V
  chord     the linear array with the conductances at v_read
  effective the linear array fitted to 16 random vectors (EffectiveConductance)

for inputs of one bit (0 or v_read) and of four bits, as root mean square and at worst; the iterations of Newton, and
the processor time per vector of either.
"""

import time

import numpy as np

import rxnn

V_READ = 0.25
WIRES = {"r_source_ohm": 500, "r_sink_ohm": 100, "r_wordline_ohm": 2.5, "r_bitline_ohm": 2.5}


def inputs(rng: np.random.Generator, count: int, rows: int, bits: int) -> np.ndarray:
    """Random digits as volts."""
    largest = 2**bits - 1
    return V_READ * rng.integers(0, largest + 1, (count, rows)) / largest


def errors(currents: np.ndarray, exact: np.ndarray) -> str:
    """Root mean square and worst, relative to the exact currents."""
    relative = currents / exact - 1
    return f"{np.sqrt(np.mean(relative**2)):>8.2%} {np.abs(relative).max():>8.2%}"


def main() -> None:
    """Prints the table."""
    names = ("slope", "chord", "effective")
    print(f"{'array':>9} {'V0/v_read':>9} {'bits':>4} " + " ".join(f"{name:^17}" for name in names), end="")
    print(f" {'Newton':>7} {'Newton/vector':>13} {'fast/vector':>12}")
    for size in (16, 32, 64):
        for ratio in (4.0, 1.0, 0.5, 0.25):
            for bits in (1, 4):
                row(size, ratio, bits)


def row(size: int, ratio: float, bits: int) -> None:
    """One line: cells of 100 kohm to 1 Mohm at v_read."""
    rng = np.random.default_rng(1)
    cell = rxnn.Sinh(ratio * V_READ)
    at_v_read = 1 / rng.uniform(1e5, 1e6, (size, size))
    g = at_v_read / (ratio * np.sinh(1 / ratio))
    seen, test = inputs(rng, 16, size, bits), inputs(rng, 64, size, bits)

    start = time.process_time()
    exact = rxnn.solve_array(g, test, cell=cell, **WIRES)
    newton = (time.process_time() - start) / len(test)
    effective = rxnn.effective_conductance(g, seen, cell=cell, **WIRES)
    matrices = [rxnn.equivalent_conductance(cells, **WIRES) for cells in (g, at_v_read, effective)]
    start = time.process_time()
    for _ in range(100):
        test @ matrices[-1]
    fast = (time.process_time() - start) / 100 / len(test)
    iterations = max(summary.iterations for summary in exact.summaries)
    cells = " ".join(errors(test @ matrix, exact.currents) for matrix in matrices)
    times = f"{newton * 1e3:>10.1f} ms {fast * 1e6:>9.1f} us"
    print(f"{size:>4}x{size:<4} {ratio:>9g} {bits:>4} {cells} {iterations:>7} {times}")


if __name__ == "__main__":
    main()
