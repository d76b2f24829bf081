"""Runs the caffe command and its companions in processes of their own."""

import os
import re
import subprocess
from pathlib import Path

BUILD = Path(os.environ.get("RXNN_BUILD", Path(__file__).resolve().parents[2] / "build"))
BIN = BUILD / "bin"
CAFFE = BIN / "caffe"


def run(tool: str, *arguments: object, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs build/bin/<tool>; its log goes to stderr alone."""
    return subprocess.run(
        [str(BIN / tool), *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env={**os.environ, "GLOG_logtostderr": "1", "GLOG_minloglevel": "0", **environment},
    )


def caffe(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the caffe command."""
    return run("caffe", *arguments, **environment)


def messages(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The log lines without their prefixes."""
    assert done.returncode == 0, done.stderr
    return re.findall(r"^I\d{8} [\d:.]+ +\d+ [\w.]+:\d+\] (.*)$", done.stderr, re.MULTILINE)


def error(*arguments: object, tool: str = "caffe") -> str:
    """Runs what must fail: exit code 1 (a signal would be negative), and the message is the end of stderr."""
    done = run(tool, *arguments)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count(f"{tool}: error: ") == 1, done.stderr
    return done.stderr[done.stderr.index(f"{tool}: error: ") :]
