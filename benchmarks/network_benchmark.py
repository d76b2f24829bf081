"""Whole networks on crossbars against the same networks with plain layers, in one engine and one run.

Prints a table and, with --json, writes the figures. Times are the best of several rounds, in which the plain network
and those on crossbars take turns: a busy machine slows all of them. Each network runs in a process of its own, so that
peak memory is its own.

  python benchmarks/network_benchmark.py --networks squeezenet resnet20 --hardware ideal analog_64x64
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import networks
import numpy as np

import caffe
from rxnn.hardware import load_hardware
from rxnn.model import put_on_crossbars, read_model, select_layers, write_model

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("RXNN_DATA", ROOT.parent / "shared" / "data"))
GOALS = {"analog_64x64": 1.5, "ideal": 1.1, "rram_64x64": 15.0}
WIRES = ("r_source_ohm", "r_sink_ohm", "r_wordline_ohm", "r_bitline_ohm")


@dataclass
class Timing:
    """One network, plain ("plain") or on one hardware; seconds of one batch."""

    network: str
    hardware: str
    batch: int
    threads: int
    setup_seconds: float  # programming and the first batch
    seconds: float
    cpu_seconds: float
    over_plain: float
    cpu_over_plain: float
    goal: float | None
    peak_mib: float  # of the process so far


def real_squeezenet(batch: int) -> tuple[str, Path, np.ndarray] | None:
    """Prototxt, weights and images of the real network, where they are."""
    folder = DATA / "squeezenet"
    if not (folder / "squeezenet_v1.0.caffemodel").is_file():
        return None
    golden = np.load(folder / "golden.npz")
    mean = golden["mean_bgr"].reshape(1, 3, 1, 1) if golden["mean_bgr"].size == 3 else golden["mean_bgr"]
    images = golden["input_u8_bgr"].astype(np.float32) - mean
    images = np.resize(images, (batch, *images.shape[1:])).astype(np.float32)
    return (folder / "deploy.prototxt").read_text(), folder / "squeezenet_v1.0.caffemodel", images


def make_net(text: str, hardware: str | None, batch: int, folder: Path, no_wires: bool) -> caffe.Net:
    """A network from prototxt text, its layers on crossbars where a hardware is given."""
    path = folder / f"{hardware}.prototxt"
    path.write_text(text)
    model = read_model(path)
    if hardware:
        param = load_hardware(hardware)
        if no_wires and any(getattr(param, wire) > 0 for wire in WIRES):
            for wire in WIRES:
                setattr(param, wire, 0)
            param.conductance_sigma = max(param.conductance_sigma, 0.01)
        for layer in select_layers(model, None, None):
            put_on_crossbars(layer, param)
    write_model(model, path)
    caffe.set_random_seed(1)
    net = caffe.Net(str(path), caffe.TEST)
    name = net.inputs[0]
    net.blobs[name].reshape(batch, *net.blobs[name].data.shape[1:])
    net.reshape()
    for layer, kind in zip(net.params, (net.layer_dict[name].type for name in net.params), strict=True):
        if kind == "BatchNorm":  # as if trained on data of mean 0 and variance 2
            net.params[layer][1].data[...] = 2
            net.params[layer][2].data[...] = 1
    return net


def time_network(name: str, hardware: list[str], batch: int, rounds: int, threads: int, no_wires: bool) -> list[Timing]:
    """Times one network plain and on each hardware."""
    real = real_squeezenet(batch) if name == "squeezenet" else None
    text = real[0] if real else networks.NETWORKS[name](batch)
    runs: dict[str, caffe.Net] = {}
    setup: dict[str, float] = {}
    peak: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for label in ["plain", *hardware]:
            net = make_net(text, None if label == "plain" else label, batch, Path(folder), no_wires)
            data = net.blobs[net.inputs[0]].data
            if real:
                net.copy_from(str(real[1]))
                data[...] = real[2]
            else:
                data[...] = np.random.default_rng(0).normal(size=data.shape)
            start = time.perf_counter()
            net.forward()
            setup[label] = time.perf_counter() - start
            runs[label] = net
            peak[label] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    best = dict.fromkeys(runs, float("inf"))
    best_cpu = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for label, net in runs.items():
            start, start_cpu = time.perf_counter(), time.process_time()
            net.forward()
            best[label] = min(best[label], time.perf_counter() - start)
            best_cpu[label] = min(best_cpu[label], time.process_time() - start_cpu)
    return [
        Timing(
            network=name,
            hardware=label,
            batch=batch,
            threads=threads,
            setup_seconds=setup[label],
            seconds=best[label],
            cpu_seconds=best_cpu[label],
            over_plain=best[label] / best["plain"],
            cpu_over_plain=best_cpu[label] / best_cpu["plain"],
            goal=GOALS.get(label),
            peak_mib=peak[label],
        )
        for label in runs
    ]


def main() -> None:
    """Runs every network in a process of its own and gathers the timings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=networks.NETWORKS, default=list(networks.NETWORKS))
    parser.add_argument("--hardware", nargs="+", default=list(GOALS), help="presets or files (default: with goals)")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--no-wires",
        action="store_true",
        help="vary the cells instead of extracting the wires: the same kernels at work, without hours of extraction",
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        timings = time_network(args.networks[0], args.hardware, args.batch, args.rounds, args.threads, args.no_wires)
        print(json.dumps([asdict(timing) for timing in timings]))
        return

    print(f"{'network':<12}{'hardware':<16}{'s/batch':>10}{'over plain':>12}{'goal':>7}", end="")
    print(f"{'cpu':>8}{'set-up s':>10}{'MiB':>8}")
    figures = []
    options = ["--batch", args.batch, "--threads", args.threads, "--rounds", args.rounds]
    options += ["--no-wires"] if args.no_wires else []
    for name in args.networks:
        command = [sys.executable, __file__, "--one", "--networks", name, "--hardware", *args.hardware, *options]
        environment = os.environ | {"OMP_NUM_THREADS": str(args.threads), "OMP_WAIT_POLICY": "passive"}
        out = subprocess.run([str(part) for part in command], env=environment, stdout=subprocess.PIPE, check=True)
        for timing in json.loads(out.stdout):
            figures.append(timing)
            goal = f"{timing['goal']:.1f}" if timing["goal"] else ""
            print(
                f"{timing['network']:<12}{timing['hardware']:<16}{timing['seconds']:>10.3f}{timing['over_plain']:>12.2f}"
                f"{goal:>7}{timing['cpu_over_plain']:>8.2f}{timing['setup_seconds']:>10.1f}{timing['peak_mib']:>8.0f}",
                flush=True,
            )
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
