"""Runs ngspice on a netlist and reads what it found, in full double precision."""

import re
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import Error

_MISSING = "ngspice is not installed: install the Debian package ngspice (apt-get install ngspice)"
_CURRENT = re.compile(r"^(.*)#branch$")  # another way in which ngspice names the current of a source


@dataclass(frozen=True)
class NgspiceRun:
    """What came of one run."""

    currents: np.ndarray  # (vectors, columns), ampere
    wall_seconds: float  # the process, from start to end
    cpu_seconds: float  # of processor time it used; less than wall_seconds where the machine had other work
    analysis_seconds: float  # its own count of the analysis alone, without start and reading the netlist


def find_ngspice(program: str | None = None) -> str:
    """The program's path."""
    path = shutil.which(program or "ngspice")
    if path is None:
        raise Error(_MISSING if program is None else f"{program}: no program of this name")
    return path


def run_ngspice(
    text: str, vectors: int, columns: int, *, program: str | None = None, timeout: float = 600.0
) -> NgspiceRun:
    """Solves a netlist of `netlist`.

    Args:
        text: the netlist.
        vectors: input vectors in it.
        columns: columns of the array.
        program: ngspice's path; default: the one of the search path.
        timeout: seconds after which it is stopped.
    """
    command = find_ngspice(program)
    head, end, _ = text.rpartition(".end\n")
    with tempfile.TemporaryDirectory(prefix="rxnn") as folder:
        circuit, raw = Path(folder) / "array.cir", Path(folder) / "array.raw"
        circuit.write_text(f"{head}.options acct\n{end}", encoding="utf-8")
        start, cpu_before = time.perf_counter(), _children_cpu()
        try:
            done = subprocess.run(
                [command, "-n", "-b", "-r", str(raw), str(circuit)],
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise Error(f"ngspice was stopped: no result after {timeout:g} s") from None
        wall, cpu = time.perf_counter() - start, _children_cpu() - cpu_before
        log = done.stdout + done.stderr
        values = read_raw(raw.read_bytes()) if raw.is_file() else {}
    names = [f"i(vs{column})" for column in range(columns)]
    points = min((len(values.get(name, ())) for name in names), default=0)
    if done.returncode != 0 or points < vectors:
        raise Error(
            f"ngspice found no solution: exit status {done.returncode}, {points} of {vectors} vectors solved; "
            f"it said: {_complaint(log)}"
        )
    currents = np.column_stack([values[name] for name in names])
    return NgspiceRun(currents, wall, cpu, _analysis_seconds(log))


def read_raw(content: bytes) -> dict[str, np.ndarray]:
    """The vectors of a binary raw file by name, currents as i(source); what is not complete is left out."""
    head, mark, body = content.partition(b"Binary:\n")
    lines = head.decode(errors="replace").splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    if not mark or fields.get("Flags", "").split() != ["real"]:
        return {}
    count = int(fields["No. Variables"])
    names = [_CURRENT.sub(r"i(\1)", line.split()[1].lower()) for line in lines[-count:]]
    points = len(body) // (8 * count)
    table = np.frombuffer(body, "<f8", points * count).reshape(points, count)
    return {name: table[:, index] for index, name in enumerate(names)}


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _analysis_seconds(log: str) -> float:
    found = re.search(r"Total analysis time \(seconds\) = (\S+)", log)
    if found is None:
        raise Error("ngspice printed no analysis time")
    return float(found[1])


def _complaint(log: str) -> str:
    """The last lines that look like one."""
    words = re.compile(r"error|abort|fail|singular|converge|iteration limit|fatal|no such", re.IGNORECASE)
    lines = [line.strip() for line in log.splitlines() if words.search(line)]
    return " | ".join(lines[-3:]) or "nothing"
