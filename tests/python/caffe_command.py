"""Runs the caffe command in a process of its own."""

import os
import re
import subprocess
from pathlib import Path

CAFFE = Path(__file__).resolve().parents[2] / "build" / "bin" / "caffe"


def caffe(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CAFFE), *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "GLOG_logtostderr": "1", "GLOG_minloglevel": "0", **environment},
    )


def messages(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The log lines without their prefixes."""
    assert done.returncode == 0, done.stderr
    return re.findall(r"^I\d{8} [\d:.]+ +\d+ [\w.]+:\d+\] (.*)$", done.stderr, re.MULTILINE)


def error(*arguments: object) -> str:
    """Runs what must fail: exit code 1 (a signal would be negative), and the message is the end of stderr."""
    done = caffe(*arguments)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count("caffe: error: ") == 1, done.stderr
    return done.stderr[done.stderr.index("caffe: error: ") :]
