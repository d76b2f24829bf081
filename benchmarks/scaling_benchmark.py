"""Time of one layer's product against array size, bits of the converters, input streams and threads.

512 inputs, 512 outputs, 2048 vectors of 8-bit codes; rram_64x64 without wires and with cells that vary, one thing
changed at a time. Best of several rounds, wall time.

  python benchmarks/scaling_benchmark.py --json scaling.json --plot docs/images/scaling.png
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SIZE = 512
VECTORS = 2048
BASE = {"rows": 64, "cols": 64, "adc_bits": 8, "dac_bits": 1}
SWEEPS: dict[str, list[dict[str, int]]] = {
    "rows and columns of an array": [{"rows": n, "cols": n} for n in (16, 32, 64, 128, 256)],
    "bits of the ADC (0: ideal)": [{"adc_bits": n} for n in (0, 4, 6, 8, 10, 12)],
    "input streams": [{"dac_bits": n} for n in (8, 4, 2, 1)],
    "threads": [{"threads": n} for n in (1, 2)],
}


def place(change: dict[str, int]) -> int:
    """Where a change stands on its axis."""
    name, value = next(iter(change.items()))
    return 8 // value if name == "dac_bits" else value


def milliseconds(change: dict[str, int], rounds: int) -> float:
    """Of one product, in this process."""
    from rxnn import _rxnn
    from rxnn.hardware import load_hardware

    param = load_hardware("rram_64x64")
    for name in ("r_source_ohm", "r_sink_ohm", "r_wordline_ohm", "r_bitline_ohm"):
        setattr(param, name, 0)
    param.conductance_sigma = 0.02
    for name, value in (BASE | change).items():
        if name != "threads":
            setattr(param, name, value)
    matrix = _rxnn.CrossbarMatrix(param.SerializeToString(), "layer", 1, SIZE, SIZE)
    rng = np.random.default_rng(0)
    matrix.program(rng.normal(size=(SIZE, SIZE)).astype(np.float32))
    codes = rng.integers(0, 256, size=(VECTORS, SIZE), dtype=np.int32)
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        matrix.multiply(codes)
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def plot(figures: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Draws every sweep."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.6), layout="constrained")
    for index, (name, points) in enumerate(figures.items(), start=1):
        axes = figure.add_subplot(1, len(figures), index)
        axes.plot(range(len(points)), [ms for _, ms in points], "o-")
        axes.set_xticks(range(len(points)), [str(at) for at, _ in points])
        axes.set_ylim(bottom=0)
        axes.set_xlabel(name)
        if index == 1:
            axes.set_ylabel("ms per product")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Runs every point in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--plot", type=Path, help="where to draw them (PNG)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(milliseconds(json.loads(args.one), args.rounds))
        return
    figures: dict[str, list[tuple[int, float]]] = {}
    for name, changes in SWEEPS.items():
        figures[name] = []
        for change in changes:
            environment = os.environ | {"OMP_NUM_THREADS": str(change.get("threads", args.threads))}
            command = [sys.executable, __file__, "--one", json.dumps(change), "--rounds", str(args.rounds)]
            out = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            figures[name].append((place(change), float(out.stdout)))
        print(f"{name:<32}" + "  ".join(f"{at}: {ms:.1f} ms" for at, ms in figures[name]), flush=True)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    if args.plot:
        plot(figures, args.plot)


if __name__ == "__main__":
    main()
