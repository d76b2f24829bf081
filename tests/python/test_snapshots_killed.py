"""Training that is killed at any moment leaves the last whole snapshot, from which it goes on."""

import re
import subprocess
import time

import numpy as np
import pytest

from caffe_command import CAFFE, caffe, messages

NET = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
        dummy_data_param { shape { dim: 1 dim: 500 } shape { dim: 1 dim: 1 }
                           data_filler { type: "uniform" } data_filler {} } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 1000 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
KILLS = 8  # of a run that does little but write: 4 MB of snapshot a step


@pytest.mark.parametrize(("snapshot_format", "ending"), [("BINARYPROTO", ""), ("HDF5", ".h5")])
def test_the_last_snapshot_is_whole(tmp_path, snapshot_format, ending):
    (tmp_path / "net.prototxt").write_text(NET)
    solver = tmp_path / "solver.prototxt"

    def write_solver(max_iter: int) -> None:
        solver.write_text(
            f'net: "{tmp_path}/net.prototxt" base_lr: 0.01 lr_policy: "fixed" momentum: 0.9 max_iter: {max_iter} '
            f'snapshot: 1 snapshot_prefix: "{tmp_path}/run" snapshot_format: {snapshot_format} random_seed: 1'
        )

    def last_snapshot() -> tuple[int, str]:
        """By the names alone, as a user would choose it."""
        states = [
            (int(re.findall(r"\d+", path.name)[0]), str(path)) for path in tmp_path.glob(f"*.solverstate{ending}")
        ]
        return max(states, default=(0, ""))

    rng = np.random.default_rng(7)
    for _ in range(KILLS):
        write_solver(1_000_000)
        done, state = last_snapshot()
        arguments = [str(CAFFE), "train", f"--solver={solver}", *([f"--snapshot={state}"] if state else [])]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            deadline = time.monotonic() + 60
            while last_snapshot()[0] < done + 2 and run.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.03))
            run.kill()
        assert run.returncode == -9, "it ended by itself"
        iteration, state = last_snapshot()
        assert iteration >= done + 2
        write_solver(iteration)  # reads the snapshot, and has nothing left to do
        assert "Optimization Done." in messages(caffe("train", f"--solver={solver}", f"--snapshot={state}"))
        for path in tmp_path.glob("run*"):
            if str(iteration) not in path.name:
                path.unlink()
