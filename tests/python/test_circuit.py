"""equivalent_conductance against ngspice and against nodal analysis with scipy's sparse solver."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

import rxnn

RELATIVE = 1e-11  # double precision through some hundred eliminations; the nodal analysis is refined beyond it
NAMES = ("r_source_ohm", "r_sink_ohm", "r_wordline_ohm", "r_bitline_ohm")


def nodal_analysis(
    g: np.ndarray,
    source: float,
    sink: float,
    wordline: float | np.ndarray,
    bitline: float | np.ndarray,
    driven: str = "ONE_END",
    sensed: str = "ONE_END",
) -> np.ndarray:
    """G_eq by Kirchhoff's current law at every node: drive one word line with 1 V at a time and read all sinks.

    Nodes: word-line node (i, j), bit-line node (i, j), driver i, virtual ground j. A resistance of 0 joins two nodes.
    """
    rows, cols = g.shape
    cells = rows * cols
    ground = 2 * cells + rows
    parent = list(range(ground + cols))
    wordline = np.broadcast_to(wordline, cols - 1)
    bitline = np.broadcast_to(bitline, rows - 1)

    def find(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    edges = []  # node, node, conductance

    def connect(a: int, b: int, ohm: float) -> None:
        if ohm == 0:
            parent[find(a)] = find(b)
        else:
            edges.append((a, b, 1 / ohm))

    def ends(where: str, line: int) -> list[str]:
        return {"ONE_END": ["near"], "BOTH_ENDS": ["near", "far"], "ALTERNATING_ENDS": [["near", "far"][line % 2]]}[
            where
        ]

    for i in range(rows):
        for end in ends(driven, i):
            connect(i * cols + (0 if end == "near" else cols - 1), 2 * cells + i, source)
        for j in range(cols - 1):
            connect(i * cols + j, i * cols + j + 1, wordline[j])
    for j in range(cols):
        for end in ends(sensed, j):
            connect(cells + (rows - 1 if end == "near" else 0) * cols + j, ground + j, sink)
        for i in range(rows - 1):
            connect(cells + i * cols + j, cells + (i + 1) * cols + j, bitline[i])
    edges += [(node, cells + node, g.flat[node]) for node in range(cells)]

    roots = [find(node) for node in range(ground + cols)]
    fixed = list(dict.fromkeys(roots[node] for node in range(2 * cells, ground + cols)))
    free = [root for root in dict.fromkeys(roots) if root not in set(fixed)]
    index = {root: k for k, root in enumerate(free + fixed)}
    a, b, value = (np.array(column) for column in zip(*edges, strict=True))
    a = np.array([index[roots[node]] for node in a])
    b = np.array([index[roots[node]] for node in b])
    size = len(index)
    laplacian = scipy.sparse.csc_matrix(
        (np.concatenate([value, value, -value, -value]), (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))),
        shape=(size, size),
    )
    driver = [index[roots[2 * cells + i]] - len(free) for i in range(rows)]
    sense = [index[roots[ground + j]] for j in range(cols)]
    fixed_volt = np.zeros((len(fixed), rows))
    fixed_volt[driver, np.arange(rows)] = 1

    def leaving(volt: np.ndarray) -> np.ndarray:
        """Currents out of every node, edge by edge in extended precision: 1 / r of a small wire swamps its cells."""
        flow = value.astype(np.longdouble)[:, None] * (volt[a] - volt[b])
        current = np.zeros_like(volt)
        np.add.at(current, a, flow)
        np.subtract.at(current, b, flow)
        return current

    volt = np.vstack([np.zeros((len(free), rows)), fixed_volt]).astype(np.longdouble)
    if free:
        solve = scipy.sparse.linalg.splu(laplacian[: len(free), : len(free)].tocsc()).solve
        for _ in range(4):  # the solution, and its refinement
            volt[: len(free)] -= solve(leaving(volt)[: len(free)].astype(float))
    current = leaving(volt).astype(float)
    return -current[sense].T


def conductances(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return 1 / rng.uniform(1e5, 1e6, shape)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 12), (12, 5), (33, 17), (16, 40)])
@pytest.mark.parametrize(
    "wires",
    [
        (500, 100, 2.5, 2.5),
        (0, 100, 2.5, 2.5),
        (500, 0, 2.5, 2.5),
        (500, 100, 0, 2.5),
        (500, 100, 2.5, 0),
        (0, 0, 2.5, 2.5),
        (0, 0, 0, 0),
        (1e5, 100, 2.5, 2.5),
        (500, 1e5, 2.5, 2.5),
        (500, 100, 1e4, 2.5),
        (500, 100, 2.5, 1e4),
        (500, 100, 1e-3, 1e-3),
    ],
)
def test_equals_nodal_analysis(rng, shape, wires):
    g = conductances(rng, *shape)
    result = rxnn.equivalent_conductance(g, **dict(zip(NAMES, wires, strict=True)))
    np.testing.assert_allclose(result, nodal_analysis(g, *wires), rtol=RELATIVE)


ENDS = ("ONE_END", "BOTH_ENDS", "ALTERNATING_ENDS")


@pytest.mark.parametrize("sensed", ENDS)
@pytest.mark.parametrize("driven", ENDS)
@pytest.mark.parametrize("shape", [(1, 6), (8, 13), (21, 11)])
def test_equals_nodal_analysis_for_all_ends(rng, shape, driven, sensed):
    g = conductances(rng, *shape)
    for wires in ((500, 100, 2.5, 2.5), (0, 0, 2.5, 2.5), (0, 100, 0, 2.5), (500, 0, 20, 0)):
        result = rxnn.equivalent_conductance(g, **dict(zip(NAMES, wires, strict=True)), driven=driven, sensed=sensed)
        np.testing.assert_allclose(result, nodal_analysis(g, *wires, driven, sensed), rtol=RELATIVE, err_msg=str(wires))


@pytest.mark.parametrize("ends", ENDS)
def test_segments_may_differ(rng, ends):
    g = conductances(rng, 9, 14)
    wordline, bitline = rng.uniform(0, 10, 13), rng.uniform(0, 10, 8)
    wordline[3] = bitline[0] = 0
    for segments in ((wordline, bitline), (wordline, 2.5), (2.5, bitline)):
        result = rxnn.equivalent_conductance(
            g, r_wordline_ohm=segments[0], r_bitline_ohm=segments[1], driven=ends, sensed=ends
        )
        np.testing.assert_allclose(result, nodal_analysis(g, 500, 100, *segments, ends, ends), rtol=RELATIVE)
    word, bit = rxnn.node_voltages(g, np.ones(9), r_wordline_ohm=wordline, r_bitline_ohm=bitline, driven=ends)
    currents = nodal_analysis(g, 500, 100, wordline, bitline, ends).sum(axis=0)
    np.testing.assert_allclose((g * (word - bit)).sum(axis=0), currents, rtol=RELATIVE)


def test_refuses_impossible_segments_and_ends():
    g = np.full((3, 3), 1e-5)
    with pytest.raises(ValueError, match=r"r_wordline_segment_ohm: 3 segments, an array of this size has 2"):
        rxnn.equivalent_conductance(g, r_wordline_ohm=[1, 2, 3])
    with pytest.raises(ValueError, match=r"r_bitline_segment_ohm: -1 is out of range"):
        rxnn.equivalent_conductance(g, r_bitline_ohm=[1, -1])
    with pytest.raises(ValueError, match=r"r_bitline_ohm must be a number or a list"):
        rxnn.equivalent_conductance(g, r_bitline_ohm=[[1, 1]])
    with pytest.raises(ValueError, match=r"driven is 'LEFT', expected ONE_END"):
        rxnn.equivalent_conductance(g, driven="LEFT")


@pytest.mark.parametrize("size", [16, 32, 64])
def test_equals_ngspice(real_data, size):
    with np.load(real_data / "spice" / f"crossbar_{size}.npz") as golden:
        g_eq = rxnn.equivalent_conductance(
            golden["G"],
            r_source_ohm=float(golden["Rs"]),
            r_sink_ohm=float(golden["Rk"]),
            r_wordline_ohm=float(golden["r"]),
            r_bitline_ohm=float(golden["r"]),
        )
        np.testing.assert_allclose(g_eq, golden["Geq"], rtol=RELATIVE)
        np.testing.assert_allclose(golden["V"] @ g_eq, golden["I_ngspice"], rtol=RELATIVE)


@pytest.mark.parametrize("wires", [(500, 100, 2.5, 2.5), (0, 100, 2.5, 0), (0, 0, 0, 0), (500, 100, 1e-3, 1e4)])
def test_node_voltages_give_the_currents_of_nodal_analysis(rng, wires):
    g, volts = conductances(rng, 21, 13), rng.uniform(-0.2, 0.2, 21)
    word, bit = rxnn.node_voltages(g, volts, **dict(zip(NAMES, wires, strict=True)))
    assert word.shape == bit.shape == g.shape
    expected = volts @ nodal_analysis(g, *wires)
    np.testing.assert_allclose((g * (word - bit)).sum(axis=0), expected, atol=RELATIVE * np.abs(volts @ g).max())
    # What a driver delivers falls off at its resistance.
    if wires[0] > 0:
        delivered = (g * (word - bit)).sum(axis=1)
        np.testing.assert_allclose((volts - word[:, 0]) / wires[0], delivered, atol=RELATIVE * np.abs(delivered).max())


def test_node_voltages_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"\(3\)"):
        rxnn.node_voltages(np.full((3, 2), 1e-5), [0.1, 0.2])
    with pytest.raises(ValueError, match="two axes"):
        rxnn.node_voltages(np.full((1, 3, 2), 1e-5), [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="row 1"):
        rxnn.node_voltages(np.full((2, 2), 1e-5), [0.1, np.nan])


def test_defaults_are_the_schemas(rng):
    g = conductances(rng, 9, 4)
    np.testing.assert_allclose(rxnn.equivalent_conductance(g), nodal_analysis(g, 500, 100, 2.5, 2.5), rtol=RELATIVE)


def test_leading_axes_are_arrays(rng):
    g = conductances(rng, 2, 3, 8, 5)
    result = rxnn.equivalent_conductance(g)
    assert result.shape == g.shape
    assert result.dtype == np.float64
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(result[index], rxnn.equivalent_conductance(g[index]))


def test_takes_any_layout(rng):
    g = conductances(rng, 6, 9)
    np.testing.assert_array_equal(rxnn.equivalent_conductance(np.asfortranarray(g)), rxnn.equivalent_conductance(g))
    g32 = g.astype(np.float32)
    np.testing.assert_array_equal(rxnn.equivalent_conductance(g32), rxnn.equivalent_conductance(g32.astype(float)))


@pytest.mark.parametrize("bad", [-1e-6, np.nan, np.inf])
def test_refuses_impossible_cells(bad):
    g = np.full((3, 3), 1e-5)
    g[1, 2] = bad
    with pytest.raises(ValueError, match="conductance"):
        rxnn.equivalent_conductance(g)


def test_refuses_impossible_wires_and_shapes():
    with pytest.raises(ValueError, match="-1"):
        rxnn.equivalent_conductance(np.full((2, 2), 1e-5), r_sink_ohm=-1)
    with pytest.raises(ValueError, match="at least two axes"):
        rxnn.equivalent_conductance(np.full(4, 1e-5))
    with pytest.raises(ValueError, match=r"0"):
        rxnn.equivalent_conductance(np.zeros((0, 4)))
