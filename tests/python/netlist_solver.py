"""Reads a netlist as rxnn writes them and solves it: a second opinion that shares only the format with the writer.

Resistors, voltage sources to ground, behavioural sources V = f(V(node)) with pwl and .func; docs/spice.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse
import scipy.sparse.linalg


@dataclass
class Netlist:
    """What the lines say."""

    title: str
    resistors: list[tuple[str, str, str, float]] = field(default_factory=list)  # name, two nodes, ohm
    sources: dict[str, tuple[str, float]] = field(default_factory=dict)  # name: node, volts
    behavioural: dict[str, tuple[str, str]] = field(default_factory=dict)  # name: node, expression
    functions: dict[str, tuple[str, str]] = field(default_factory=dict)  # name: argument, body
    controls: list[str] = field(default_factory=list)

    @property
    def vectors(self) -> int:
        """Points of the sweep."""
        sweep = [line.split() for line in self.controls if line.startswith(".dc")]
        return int(float(sweep[0][3])) + 1 if sweep else 1


def parse(text: str) -> Netlist:
    """One element per line; a plus continues the line before, a star starts a comment."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("+"):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    netlist = Netlist(lines[0])
    for line in lines[1:]:
        if not line or line.startswith("*"):
            continue
        words = line.split()
        if line.startswith("."):
            if words[0] == ".func":
                name, argument, body = re.fullmatch(r"\.func (\w+)\((\w+)\) \{(.*)\}", line).groups()
                netlist.functions[name] = argument, body
            else:
                netlist.controls.append(line)
        elif line[0] == "R":
            name, a, b, ohm = words
            netlist.resistors.append((name, a, b, float(ohm)))
        elif line[0] == "V":
            name, node, ground, kind, volts = words
            assert (ground, kind) == ("0", "DC")
            netlist.sources[name] = node, float(volts)
        elif line[0] == "B":
            name, node, expression = re.fullmatch(r"(\w+) (\w+) 0 V=(.*)", line).groups()
            netlist.behavioural[name] = node, expression
        else:
            raise AssertionError(f"no element of the format: {line}")
    assert netlist.controls[-1] == ".end"
    return netlist


def _evaluator(netlist: Netlist, volts: dict[str, float]) -> Callable[[str], float]:
    def pwl(x: float, *points: float) -> float:
        return float(np.interp(x, points[::2], points[1::2]))

    def make(argument: str, body: str) -> Callable[[float], float]:
        return lambda x: evaluate(re.sub(rf"\b{argument}\b", repr(x), body))

    def evaluate(expression: str) -> float:
        expression = re.sub(r"V\((\w+)\)", lambda match: repr(volts[match[1]]), expression)
        return eval(expression, {"pwl": pwl, **functions, "__builtins__": {}})

    functions = {name: make(*function) for name, function in netlist.functions.items()}
    return evaluate


def solve(netlist: Netlist) -> np.ndarray:
    """Currents of the sources Vs0, Vs1, .. at every point of the sweep, (points, columns), ampere."""
    points = []
    for point in range(netlist.vectors):
        volts = {"0": 0.0, **dict(netlist.sources.values())}
        if netlist.vectors > 1:
            volts["vector"] = float(point)
        evaluate = _evaluator(netlist, volts)
        for node, expression in netlist.behavioural.values():  # sources stand before those that follow them
            volts[node] = evaluate(expression)
        points.append(volts)
    known = list(points[0])
    nodes = list(dict.fromkeys(node for _, a, b, _ in netlist.resistors for node in (a, b)))
    unknown = [node for node in nodes if node not in points[0]]
    index = {node: k for k, node in enumerate(unknown + known)}
    a = np.array([index[a] for _, a, _, _ in netlist.resistors])
    b = np.array([index[b] for _, _, b, _ in netlist.resistors])
    g = 1 / np.array([ohm for _, _, _, ohm in netlist.resistors])
    size = len(index)
    laplacian = scipy.sparse.csc_matrix(
        (np.concatenate([g, g, -g, -g]), (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))), (size, size)
    )
    fixed = np.array([[volts[node] for volts in points] for node in known])
    solution = np.zeros((0, len(points)))
    if unknown:
        inner, edge = laplacian[: len(unknown), : len(unknown)], laplacian[: len(unknown), len(unknown) :]
        solution = scipy.sparse.linalg.splu(inner.tocsc()).solve(-(edge @ fixed))
    current = laplacian @ np.vstack([solution, fixed])  # out of every node into the resistors
    columns = sum(name.startswith("Vs") for name in netlist.sources)
    sense = [index[netlist.sources[f"Vs{column}"][0]] for column in range(columns)]
    return -current[sense].T
