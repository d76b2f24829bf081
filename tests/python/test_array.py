"""rxnn array: the numbers against nodal analysis with scipy, the pictures by their pixels."""

import json

import numpy as np
import pytest
import scipy.sparse as sp
from PIL import Image
from scipy.sparse.linalg import splu

from conftest import LENET
from rxnn.array_study import error_histogram, study_array, study_json, write_study
from rxnn.errors import Error
from rxnn.inputs import Inputs, random_inputs
from rxnn.physical_array import layer_array
from tolerance import CIRCUIT

PICTURES = ("ir_drop.png", "conductance.png", "column_error.png")
LAYER = (LENET / "train_test.prototxt", LENET / "lenet_digits.caffemodel", "conv1")


def solve_nodes(g, volts, source, sink, wordline, bitline):
    """Voltages of word and bit lines, (M, N) each: Laplacians of the two grids of lines, and the cells between them."""

    def chain(count):
        return sp.diags([[1.0, *[2.0] * (count - 2), 1.0], [-1.0] * (count - 1), [-1.0] * (count - 1)], [0, 1, -1])

    rows, cols = g.shape
    first = sp.diags([1.0] + [0.0] * (cols - 1))
    last = sp.diags([0.0] * (rows - 1) + [1.0])
    words = sp.kron(sp.eye(rows), chain(cols) / wordline + first / source)
    bits = sp.kron(chain(rows) / bitline + last / sink, sp.eye(cols))
    cells = sp.diags(g.ravel())
    admittance = sp.bmat([[words + cells, -cells], [-cells, bits + cells]]).tocsc()
    currents = np.zeros((2, rows, cols))
    currents[0, :, 0] = volts / source
    return splu(admittance).solve(currents.ravel()).reshape(2, rows, cols)


def test_numbers_are_those_of_nodal_analysis(matrix):
    array = matrix(9, 13, "r_source_ohm: 700 r_sink_ohm: 90 r_wordline_ohm: 12 r_bitline_ohm: 7 v_read_volt: 0.4")
    inputs = random_inputs(array, "volts", 50, seed=1)
    numbers = json.loads(json.dumps(study_json(study_array(array, inputs))))
    wires = (700, 90, 12, 7)

    word, bit = solve_nodes(array.g, np.full(9, 0.4), *wires)
    drop = 1 - (word - bit) / 0.4
    np.testing.assert_allclose(numbers["ir_drop"]["map"], drop, rtol=CIRCUIT)
    assert numbers["ir_drop"]["mean"] == pytest.approx(drop.mean(), rel=CIRCUIT)
    assert numbers["ir_drop"]["worst"] == pytest.approx(drop.max(), rel=CIRCUIT)
    assert numbers["ir_drop"]["worst_cell"] == list(np.unravel_index(drop.argmax(), drop.shape))

    g_eq = []
    for one in np.eye(9):
        word, bit = solve_nodes(array.g, one, *wires)
        g_eq.append(bit[-1] / 90)
    np.testing.assert_allclose(numbers["conductance"]["effective_siemens"], g_eq, rtol=CIRCUIT)
    np.testing.assert_array_equal(numbers["conductance"]["programmed_siemens"], array.g)
    change = np.array(g_eq)[array.g > 0] / array.g[array.g > 0] - 1
    assert numbers["conductance"]["mean_relative_change"] == pytest.approx(change.mean(), rel=CIRCUIT)
    assert numbers["conductance"]["worst_relative_change"] == pytest.approx(
        change[np.abs(change).argmax()], rel=CIRCUIT
    )

    errors = (inputs.values @ np.array(g_eq)) / (inputs.values @ array.g) - 1
    for name, function in (("mean", np.mean), ("std", np.std), ("min", np.min), ("max", np.max)):
        np.testing.assert_allclose(numbers["column_error"][name], function(errors, axis=0), rtol=1e3 * CIRCUIT)
    edges = np.array(numbers["column_error"]["bin_edges"])
    assert edges[0] == pytest.approx(errors.min(), rel=CIRCUIT)
    assert edges[-1] == pytest.approx(errors.max(), rel=CIRCUIT)
    counts = np.array(numbers["column_error"]["counts"])
    assert counts.shape == (13, len(edges) - 1)
    assert (counts.sum(axis=1) == 50).all()


def test_ideal_wires_lose_nothing(matrix):
    array = matrix(6, 7, "ideal")
    study = study_array(array, random_inputs(array, "volts", 5, seed=1))
    assert not study.ir_drop.any()
    assert not study.errors.any()
    edges, counts = error_histogram(study)
    assert edges[0] < 0 < edges[-1]
    assert counts.sum() == 5 * 7


def test_columns_without_current_have_no_error(matrix):
    array = matrix(4, 3)
    array.g[:, 1] = 0
    numbers = study_json(study_array(array, Inputs(np.array([[0.1] * 4, [0.0] * 4]), digits=False)))
    assert numbers["column_error"]["mean"][1] is None
    assert np.sum(numbers["column_error"]["counts"][0]) == 1
    assert numbers["column_error"]["mean"][0] < 0


def test_layers_count_the_cells_in_use():
    array = layer_array(*LAYER, "rram_64x64")
    study = study_array(array, random_inputs(array, "digits", 20, seed=1))
    assert study.volts.tolist() == [0.25] * array.used_rows + [0] * (64 - array.used_rows)
    assert study.errors.shape == (20, array.used_cols)
    numbers = study_json(study)
    drop = study.ir_drop[: array.used_rows, : array.used_cols]
    assert numbers["ir_drop"]["worst"] == drop.max()
    assert np.shape(numbers["ir_drop"]["map"]) == (64, 64)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("", [[2, 3, 4, 5], [1, 2, 3, 4], [0, 1, 2, 3]]),
        ("wordline_driven: BOTH_ENDS bitline_sensed: BOTH_ENDS", [[0, 1, 1, 0], [1, 2, 2, 1], [0, 1, 1, 0]]),
        ("wordline_driven: ALTERNATING_ENDS", [[2, 3, 4, 5], [4, 3, 2, 1], [0, 1, 2, 3]]),
        ("bitline_sensed: ALTERNATING_ENDS", [[2, 1, 4, 3], [1, 2, 3, 4], [0, 3, 2, 5]]),
    ],
)
def test_segments_between_cell_and_ends(matrix, ends, expected):
    assert matrix(3, 4, ends).segments_away().tolist() == expected


class TestCurvedCells:
    CURVE = "cell_curve: SINH v_read_volt: 0.3 curve_v0_volt: "

    def test_ideal_currents_are_those_of_the_curve(self, matrix, rng):
        array = matrix(5, 4, self.CURVE + "0.1")
        volts = rng.uniform(-0.3, 0.3, (3, 5))
        # The conductance of a cell is that at v_read.
        expected = 0.3 * np.sinh(volts / 0.1) / np.sinh(3) @ array.g
        np.testing.assert_allclose(array.ideal_currents(volts), expected, rtol=1e-12)

    def test_shallow_curves_are_linear_cells(self, matrix):
        array = matrix(6, 5, self.CURVE + "1e3")
        inputs = random_inputs(array, "volts", 10, seed=1)
        curved = study_array(array, inputs)
        array.hardware.ClearField("cell_curve")
        straight = study_array(array, inputs)
        for name in ("ir_drop", "g_eq", "errors"):  # sinh(x) / x - 1 is 1.5e-8 at most
            np.testing.assert_allclose(getattr(curved, name), getattr(straight, name), rtol=1e-5)

    def test_steep_curves_are_not(self, matrix):
        array = matrix(6, 5, self.CURVE + "0.1")
        inputs = random_inputs(array, "digits", 10, seed=1)
        study = study_array(array, inputs)
        word, bit = array.node_voltages(study.volts)
        np.testing.assert_allclose(study.ir_drop, 1 - (word - bit) / 0.3, rtol=1e-12)
        exact = array.currents(inputs.volts(array)) / array.ideal_currents(inputs.volts(array)) - 1
        # The map and the model are of the curved cells: near the exact error, far from that of linear cells.
        array.hardware.ClearField("cell_curve")
        straight = study_array(array, inputs).errors
        assert np.abs(study.errors - exact).max() < 0.3 * np.abs(straight - exact).max()


class TestCommand:
    def pixels(self, path):
        image = np.asarray(Image.open(path).convert("RGB")).astype(int)
        assert image.shape[0] > 600
        assert image.shape[1] > 900
        return image

    def test_writes_pictures_and_numbers(self, run_rxnn, matrix, tmp_path):
        matrix(24, 20, "")
        out = tmp_path / "new" / "folder"
        status, printed, err = run_rxnn("array", "--matrix", tmp_path / "g.npy", "--out", out, "--vectors", 40)
        assert status == 0, err
        for word in ("g.npy", "IR drop", "conductance", "40 vectors", "array.json"):
            assert word in printed
        assert sorted(path.name for path in out.iterdir()) == sorted([*PICTURES, "array.json"])
        assert json.loads((out / "array.json").read_text())["array"]["rows"] == 24
        for name in PICTURES:
            image = self.pixels(out / name)
            white = (image == 255).all(axis=2).mean()
            assert 0.1 < white < 0.95, name
            assert len(np.unique(image.reshape(-1, 3), axis=0)) > 100, name

    def test_map_has_one_colour_per_cell(self, matrix, run_here, tmp_path):
        """The brightest cell of the map is the one with the largest drop, the darkest that with the smallest."""
        matrix(4, 5, "")
        g = np.full((4, 5), 2e-6)
        g[1, 3] = 2e-3
        np.save(tmp_path / "g.npy", g)
        assert run_here("array", "--matrix", tmp_path / "g.npy", "--out", tmp_path)[0] == 0
        drop = np.array(json.loads((tmp_path / "array.json").read_text())["ir_drop"]["map"])
        image = self.pixels(tmp_path / "ir_drop.png")
        coloured = np.ptp(image, axis=2) > 20
        rows, cols = coloured.mean(axis=1) > 0.5, coloured.mean(axis=0) > 0.5
        top, left = rows.argmax(), cols.argmax()
        height = rows.sum()
        width = np.argmin(cols[left:])  # up to the gap before the colour bar
        light = np.array(
            [
                [image[top + (2 * i + 1) * height // 8, left + (2 * j + 1) * width // 10].sum() for j in range(5)]
                for i in range(4)
            ]
        )
        order = np.argsort(drop.ravel())
        assert light.ravel()[order[-1]] == light.max()
        assert light.ravel()[order[0]] == light.min()
        assert np.corrcoef(light.ravel(), drop.ravel())[0, 1] > 0.9

    def test_map_of_given_inputs(self, matrix, run_here, tmp_path):
        array = matrix(3, 4)
        volts = [[0.1, -0.2, 0.0], [0.3, 0.3, 0.3]]
        np.savetxt(tmp_path / "v.csv", volts, delimiter=",", fmt="%.17g")
        arguments = ["--matrix", tmp_path / "g.npy", "--inputs", tmp_path / "v.csv", "--out", tmp_path]
        assert run_here("array", *arguments)[0] == 0
        numbers = json.loads((tmp_path / "array.json").read_text())
        assert numbers["ir_drop"]["inputs_volt"] == volts[0]
        word, bit = solve_nodes(array.g, np.array(volts[0]), 500, 100, 2.5, 2.5)
        expected = (np.array(volts[0])[:, None] - (word - bit)) / 0.2
        np.testing.assert_allclose(numbers["ir_drop"]["map"], expected, atol=CIRCUIT)
        assert numbers["column_error"]["vectors"] == 2

    def test_draws_other_ends_and_segments(self, matrix, run_here, tmp_path):
        matrix(4, 3)
        hardware = "wordline_driven: BOTH_ENDS bitline_sensed: ALTERNATING_ENDS"
        listed = "r_wordline_segment_ohm: [1, 2]"
        arguments = ["--matrix", tmp_path / "g.npy", "--hardware", f"{hardware} {listed}", "--out", tmp_path]
        assert run_here("array", *arguments)[0] == 0
        described = json.loads((tmp_path / "array.json").read_text())["array"]
        assert described["wordline_driven"] == "BOTH_ENDS"
        assert described["bitline_sensed"] == "ALTERNATING_ENDS"
        assert described["r_wordline_ohm"] == [1, 2]
        self.pixels(tmp_path / "ir_drop.png")

    @pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 40)])
    def test_draws_every_shape(self, matrix, run_here, tmp_path, shape):
        matrix(*shape)
        assert run_here("array", "--matrix", tmp_path / "g.npy", "--out", tmp_path / "o", "--vectors", 1)[0] == 0
        for name in PICTURES:
            self.pixels(tmp_path / "o" / name)

    def test_draws_a_layer(self, run_here, tmp_path):
        model = ["--model", LAYER[0], "--weights", LAYER[1], "--layer", "conv1", "--hardware", "rram_64x64"]
        assert run_here("array", *model, "--out", tmp_path)[0] == 0
        assert (
            json.loads((tmp_path / "array.json").read_text())["array"]["used_rows"] == 9
        )  # 3 x 3 kernels of one channel

    def test_mistakes_leave_no_file(self, refused, matrix, tmp_path):
        matrix(3, 4)
        (tmp_path / "file").write_text("")
        before = sorted(tmp_path.iterdir())
        assert "--matrix" in refused("array", "--out", tmp_path / "o")
        assert "0 vectors" in refused("array", "--matrix", tmp_path / "g.npy", "--vectors", 0, "--out", tmp_path / "o")
        for folder in (tmp_path / "file", tmp_path / "file" / "o"):
            # Before the matrix is read, even.
            message = refused("array", "--matrix", tmp_path / "none.npy", "--out", folder)
            assert f"error: {tmp_path / 'file'} is a file, expected a folder" in message
            array = matrix(3, 4)
            with pytest.raises(Error, match="is a file, expected a folder"):
                write_study(study_array(array, random_inputs(array, "volts", 1, seed=0)), folder)
        assert sorted(tmp_path.iterdir()) == before
