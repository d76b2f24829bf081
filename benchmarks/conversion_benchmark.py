"""Conversion of whole networks: time and peak memory of `rxnn convert`, then of the converted network.

A network with random weights (SqueezeNet: its own, where they are) is written, converted for stored conductances by a
process of its own, then loaded and run by another. A process's peak is the largest resident set that the kernel saw.

  python benchmarks/conversion_benchmark.py --networks squeezenet alexnet vgg16
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import networks

# Of `rxnn convert` on rram_64x64: seconds, and MiB of it and of the converted network's first batch.
GOALS = {"squeezenet": (20.0, None), "alexnet": (360.0, None), "vgg16": (None, 16384.0)}
DATA = Path(os.environ.get("RXNN_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))

MAKE = """
import sys, caffe
caffe.set_random_seed(1)
caffe.Net(sys.argv[1], caffe.TEST).save_hdf5(sys.argv[2])
"""

RUN = """
import json, sys, time
import numpy as np, caffe
start = time.perf_counter()
net = caffe.Net(sys.argv[1], sys.argv[2], caffe.TEST)
net.blobs[net.inputs[0]].data[...] = np.random.default_rng(0).normal(size=net.blobs[net.inputs[0]].data.shape)
loaded = time.perf_counter()
net.forward()
first = time.perf_counter()
net.forward()
print(json.dumps([loaded - start, first - loaded, time.perf_counter() - first]))
"""


@dataclass
class Conversion:
    """One network; MiB are peaks of a process."""

    network: str
    hardware: str
    batch: int
    threads: int
    convert_seconds: float
    convert_cpu_seconds: float
    convert_mib: float
    stored_mib: float  # of the converted weights' file
    load_seconds: float
    first_batch_seconds: float
    batch_seconds: float
    run_mib: float
    goal_seconds: float | None
    goal_mib: float | None


def run(command: list[object], threads: int) -> tuple[str, float, float, float]:
    """What a process prints; its seconds, processor seconds and peak MiB."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive", "GLOG_minloglevel": "2"}
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(str(part) for part in command)}: exit status {process.returncode}")
    return out, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(name: str, hardware: str, batch: int, threads: int, folder: Path) -> Conversion:
    """Converts one network and runs it."""
    python = sys.executable
    model, weights = folder / "model.prototxt", folder / "weights.caffemodel.h5"
    real = DATA / "squeezenet" / "squeezenet_v1.0.caffemodel"
    model.write_text(networks.NETWORKS[name](batch))
    if name == "squeezenet" and real.is_file():
        weights = real
    else:
        run([python, "-c", MAKE, model, weights], threads)
    out_model, out_weights = folder / "crossbar.prototxt", folder / "crossbar.caffemodel.h5"
    command = [python, "-m", "rxnn", "convert", "--model", model, "--weights", weights, "--hardware", hardware]
    _, seconds, cpu, mib = run([*command, "--out-model", out_model, "--out-weights", out_weights], threads)
    out, _, _, run_mib = run([python, "-c", RUN, out_model, out_weights], threads)
    load, first, second = json.loads(out.splitlines()[-1])
    goal_seconds, goal_mib = GOALS.get(name, (None, None))
    stored = out_weights.stat().st_size / 2**20
    return Conversion(
        network=name,
        hardware=hardware,
        batch=batch,
        threads=threads,
        convert_seconds=seconds,
        convert_cpu_seconds=cpu,
        convert_mib=mib,
        stored_mib=stored,
        load_seconds=load,
        first_batch_seconds=first,
        batch_seconds=second,
        run_mib=run_mib,
        goal_seconds=goal_seconds,
        goal_mib=goal_mib,
    )


def main() -> None:
    """Measures every network and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=networks.NETWORKS, default=list(GOALS))
    parser.add_argument("--hardware", default="rram_64x64", help="preset or file")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the files go meanwhile (VGG-16: 5 GiB)")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    args = parser.parse_args()
    print(f"{'network':<12}{'convert s':>10}{'cpu s':>8}{'goal':>6}{'MiB':>8}{'file MiB':>10}{'load s':>8}", end="")
    print(f"{'1st batch':>10}{'batch s':>9}{'run MiB':>9}{'goal':>7}")
    figures = []
    for name in args.networks:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            c = measure(name, args.hardware, args.batch, args.threads, Path(folder))
        figures.append(asdict(c))
        goals = [f"{goal:.0f}" if goal else "" for goal in (c.goal_seconds, c.goal_mib)]
        print(
            f"{name:<12}{c.convert_seconds:>10.1f}{c.convert_cpu_seconds:>8.1f}{goals[0]:>6}{c.convert_mib:>8.0f}"
            f"{c.stored_mib:>10.0f}{c.load_seconds:>8.1f}{c.first_batch_seconds:>10.2f}{c.batch_seconds:>9.2f}"
            f"{c.run_mib:>9.0f}{goals[1]:>7}",
            flush=True,
        )
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
