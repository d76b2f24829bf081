"""rxnn spice: netlists against ngspice and against a parser and solver of the tests' own; what is refused."""

import json
import shutil
import stat

import numpy as np
import pytest

import rxnn
from conftest import LENET
from netlist_solver import parse, solve
from rxnn.inputs import Inputs, random_inputs
from rxnn.model import read_model
from rxnn.physical_array import layer_array, matrix_array
from rxnn.spice import check, netlist, run_ngspice
from rxnn.spice.ngspice import read_raw
from rxnn.weights import read_weights
from tolerance import CIRCUIT, FLOAT32

needs_ngspice = pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
WIRES = [
    "",
    "r_source_ohm: 0",
    "r_sink_ohm: 0",
    "r_wordline_ohm: 0",
    "r_bitline_ohm: 0",
    "r_source_ohm: 0 r_wordline_ohm: 0",
    "r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0",
    "r_source_ohm: 1e4 r_sink_ohm: 1e4 r_wordline_ohm: 100 r_bitline_ohm: 100",
    "r_wordline_ohm: 1e-3 r_bitline_ohm: 1e-3",
    "wordline_driven: BOTH_ENDS",
    "bitline_sensed: BOTH_ENDS r_sink_ohm: 0",
    "wordline_driven: ALTERNATING_ENDS bitline_sensed: ALTERNATING_ENDS r_wordline_ohm: 20 r_bitline_ohm: 30",
    "wordline_driven: BOTH_ENDS bitline_sensed: BOTH_ENDS r_source_ohm: 0 r_sink_ohm: 0",
    "wordline_driven: ALTERNATING_ENDS bitline_sensed: BOTH_ENDS r_wordline_ohm: 0",
]
LAYER = (LENET / "train_test.prototxt", LENET / "lenet_digits.caffemodel", "conv1")


def errors(currents, array, inputs):
    """Of the model, relative to what the currents are sums of."""
    volts = inputs.volts(array)
    g_eq = array.equivalent_conductance()
    scale = np.abs(volts) @ g_eq
    return np.abs(currents - volts @ g_eq)[scale > 0] / scale[scale > 0]


class TestNetlist:
    @pytest.mark.parametrize("hardware", WIRES)
    @pytest.mark.parametrize("shape", [(5, 8), (1, 3), (3, 1)])
    def test_describes_the_array(self, matrix, hardware, shape):
        array = matrix(*shape, hardware)
        inputs = random_inputs(array, "volts", 4, seed=1)
        assert errors(solve(parse(netlist(array, inputs))), array, inputs).max() <= CIRCUIT

    def test_has_the_cells_and_wires(self, matrix):
        array = matrix(3, 4, "r_wordline_ohm: 2 r_bitline_ohm: 3")
        read = parse(netlist(array, random_inputs(array, "volts", 1, seed=1)))
        ohm = {name: value for name, _, _, value in read.resistors}
        nodes = {name: (a, b) for name, a, b, _ in read.resistors}
        for i, j in np.ndindex(3, 4):
            if array.g[i, j] == 0:
                assert f"Rc{i}_{j}" not in ohm
            else:
                assert ohm[f"Rc{i}_{j}"] == 1 / array.g[i, j]  # to the bit
                assert nodes[f"Rc{i}_{j}"] == (f"w{i}_{j}", f"b{i}_{j}")
        kinds = {kind: [v for name, v in ohm.items() if name[1] == kind] for kind in "swbk"}
        assert {kind: (len(values), set(values)) for kind, values in kinds.items()} == {
            "s": (3, {500.0}),
            "w": (3 * 3, {2.0}),
            "b": (2 * 4, {3.0}),
            "k": (4, {100.0}),
        }

    def test_dac_is_a_behavioural_source(self, matrix):
        array = matrix(4, 3, "dac_bits: 3 v_read_volt: 0.7")
        inputs = random_inputs(array, "digits", 6, seed=2)
        assert set(np.unique(inputs.values)) <= set(range(8))
        read = parse(netlist(array, inputs))
        assert read.vectors == 6
        assert read.functions["dac"] == ("x", "0.7*x/7")
        assert errors(solve(read), array, inputs).max() <= CIRCUIT
        np.testing.assert_allclose(inputs.volts(array), 0.7 * inputs.values / 7, rtol=1e-15)

    @pytest.mark.parametrize("size", [16, 32, 64])
    def test_of_golden_arrays(self, real_data, size):
        path = real_data / "spice" / f"crossbar_{size}.npz"
        with np.load(path) as golden:
            r, source, sink = (float(golden[name]) for name in ("r", "Rs", "Rk"))
            hardware = f"r_source_ohm: {source} r_sink_ohm: {sink} r_wordline_ohm: {r} r_bitline_ohm: {r}"
            array = matrix_array(path, hardware, key="G")
            currents = solve(parse(netlist(array, Inputs(golden["V"][None, :], digits=False))))
            np.testing.assert_allclose(currents[0], golden["I_ngspice"], rtol=CIRCUIT)


@needs_ngspice
class TestNgspice:
    @pytest.mark.parametrize("drive", ["volts", "digits"])
    @pytest.mark.parametrize("size", [16, 32])
    def test_agrees(self, matrix, size, drive):
        array = matrix(size, size, "dac_bits: 2")
        result = check(array, random_inputs(array, drive, 5, seed=3))
        assert result.agrees
        assert 0 < result.worst <= CIRCUIT
        assert result.ngspice.shape == result.fcm.shape == (5, size)
        times = result.times
        assert 0 < times.ngspice_analysis < times.ngspice_wall
        assert 0 < times.fcm_vmm < times.fcm_vmm_with_extraction
        assert times.ratio > times.ratio_with_extraction > 0
        assert times.ratio > 100

    @pytest.mark.parametrize("hardware", WIRES)
    def test_agrees_for_all_wires(self, matrix, hardware):
        array = matrix(7, 11, hardware)
        assert check(array, random_inputs(array, "volts", 2, seed=4)).worst <= CIRCUIT

    @pytest.mark.parametrize(
        "hardware",
        [
            "cell_curve: SINH curve_v0_volt: 0.1",
            "cell_curve: TABLE curve_volt: [0.05, 0.1, 0.2] curve_ampere: [1, 3, 9]",
            "cell_curve: SINH curve_v0_volt: 0.1 cell_type: ONE_T_ONE_R dac_bits: 3 dac_inl_lsb: 0.4",
        ],
    )
    @pytest.mark.parametrize("drive", ["volts", "digits"])
    def test_newton_agrees_where_cells_are_not_linear(self, matrix, hardware, drive):
        array = matrix(10, 7, hardware)
        result = check(array, random_inputs(array, drive, 3, seed=4))
        assert result.newton_worst <= CIRCUIT
        assert result.agrees
        assert result.worst > 1e-4  # one linear array is not many operating points

    def test_agrees_for_dacs_that_are_not_straight(self, matrix):
        array = matrix(10, 7, "dac_bits: 3 dac_polynomial: [0.01, 0.9, 0.05] dac_gain_error: 0.02")
        assert check(array, random_inputs(array, "digits", 4, seed=4)).worst <= CIRCUIT

    def test_agrees_for_segments_that_differ(self, matrix):
        listed = "r_wordline_segment_ohm: [1, 0, 30] r_bitline_segment_ohm: [5, 0]"
        array = matrix(3, 4, f"{listed} bitline_sensed: ALTERNATING_ENDS")
        result = check(array, random_inputs(array, "volts", 2, seed=4))
        assert result.worst <= CIRCUIT
        even = matrix(3, 4, "bitline_sensed: ALTERNATING_ENDS")
        assert np.abs(even.equivalent_conductance() / array.equivalent_conductance() - 1).max() > 1e-6

    def test_one_vector_is_an_operating_point(self, matrix):
        array = matrix(6, 5)
        inputs = random_inputs(array, "volts", 1, seed=4)
        run = run_ngspice(netlist(array, inputs), 1, 5)
        assert errors(run.currents, array, inputs).max() <= CIRCUIT

    def test_inputs_may_be_negative(self, matrix, rng):
        array = matrix(9, 6)
        assert check(array, Inputs(rng.normal(size=(3, 9)), digits=False)).worst <= CIRCUIT

    def test_notices_a_difference(self, matrix):
        array = matrix(6, 5)
        inputs = random_inputs(array, "volts", 2, seed=4)
        assert not check(array, inputs, tolerance=1e-18).agrees
        other = matrix(6, 5)
        run = run_ngspice(netlist(other, inputs), 2, 5)
        assert errors(run.currents, array, inputs).max() > 1e-3

    def test_reads_full_double_precision(self, matrix):
        array = matrix(2, 2, "r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0")
        array.g[:] = 1 / 3e5
        run = run_ngspice(netlist(array, Inputs(np.array([[0.1, 0.2]]), digits=False)), 1, 2)
        np.testing.assert_allclose(run.currents, [[0.3 / 3e5] * 2], rtol=1e-15)


class TestRawFile:
    HEAD = (
        b"Title: x\nPlotname: DC transfer characteristic\nFlags: real\nNo. Variables: 3\nNo. Points: 2\nVariables:\n"
        b"\t0\tv(v-sweep)\tvoltage\n\t1\tI(Vs0)\tcurrent\n\t2\tvs1#branch\tcurrent\nBinary:\n"
    )

    def test_is_read_by_name(self):
        values = read_raw(self.HEAD + np.array([[0, 1 / 3, 2e-300], [1, 4, 5.0]]).tobytes())
        assert {name: column.tolist() for name, column in values.items()} == {
            "v(v-sweep)": [0, 1],
            "i(vs0)": [1 / 3, 4],
            "i(vs1)": [2e-300, 5],
        }

    def test_that_breaks_off_holds_whole_points_only(self):
        body = np.arange(6.0).tobytes()
        assert len(read_raw(self.HEAD + body[:-1])["i(vs0)"]) == 1
        assert read_raw(self.HEAD[:40]) == {}
        assert read_raw(self.HEAD.replace(b"real", b"complex") + body) == {}


class TestLayer:
    def test_cells_are_the_digits_of_the_weights(self):
        array = layer_array(*LAYER, "cell_bits: 3", bit_slice=1, polarity="negative")
        w = read_weights(LAYER[1], read_model(LAYER[0]))["conv1"][0]
        w = w.reshape(w.shape[0], -1).astype(float)
        magnitude = np.round(np.abs(w) / np.abs(w).max() * 127)
        digits = np.where(w < 0, magnitude // 8 % 8, 0).T  # (K, N)
        expected = np.full((64, 64), 1e-6)
        expected[: digits.shape[0], : digits.shape[1]] += digits * (1e-5 - 1e-6) / 7
        np.testing.assert_allclose(array.g, expected, rtol=1e-14)
        assert (array.used_rows, array.used_cols) == digits.shape

    def test_is_the_same_chip_that_convert_makes(self, tmp_path):
        hardware = "rows: 10 cols: 4 conductance_sigma: 0.1 stuck_on_rate: 0.05 seed: 9 signed_weights: OFFSET"
        out = tmp_path / "o.prototxt", tmp_path / "o.caffemodel"
        rxnn.convert(*LAYER[:2], hardware, *out, layers="conv1")
        levels = read_weights(out[1], read_model(out[0]))["conv1"][0]  # (1, 1, 4, K, N)
        inputs, outputs = levels.shape[3:]
        for tile in np.ndindex(-(-inputs // 10), -(-outputs // 4)):
            # The hardware stands in the converted model; the cells come from the plain weights.
            array = layer_array(out[0], LAYER[1], "conv1", tile=tile, bit_slice=2)
            g_eq = array.equivalent_conductance()[: array.used_rows, : array.used_cols]
            rows, cols = tile[0] * 10, tile[1] * 4
            stored = levels[0, 0, 2, rows : rows + array.used_rows, cols : cols + array.used_cols]
            np.testing.assert_allclose((g_eq - 1e-6) / 3e-6, stored, rtol=FLOAT32, atol=FLOAT32)

    def test_access_transistors_stand_in_the_cells(self):
        plain = layer_array(*LAYER, "")
        behind = layer_array(*LAYER, "cell_type: ONE_T_ONE_R r_access_on_ohm: 2e4 r_access_off_ohm: 1e7")
        used = plain.used_rows
        np.testing.assert_allclose(1 / behind.g[:used], 1 / plain.g[:used] + 2e4, rtol=1e-12)
        np.testing.assert_allclose(1 / behind.g[used:], 1 / plain.g[used:] + 1e7, rtol=1e-12)

    def test_access_transistors_come_on_top_of_a_matrix(self, matrix, tmp_path):
        devices = matrix(4, 3).g
        behind = matrix_array(tmp_path / "g.npy", "cell_type: ONE_T_ONE_R r_access_on_ohm: 2e4")
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(1 / behind.g, 1 / devices + 2e4, rtol=1e-12)

    def test_unused_rows_are_not_driven(self):
        array = layer_array(*LAYER, "rram_64x64")
        inputs = random_inputs(array, "digits", 20, seed=0)
        assert inputs.values[:, : array.used_rows].max() == 1
        assert not inputs.values[:, array.used_rows :].any()


class TestExport:
    def test_writes_what_ngspice_reads(self, run_here, matrix, tmp_path):
        array = matrix(6, 5)
        inputs = random_inputs(array, "volts", 3, seed=8)
        out = tmp_path / "o.cir"
        status, printed = run_here(
            "spice", "export", "--matrix", tmp_path / "g.npy", "--vectors", 3, "--seed", 8, "--out", out
        )
        assert status == 0
        assert "6 x 5 cells, 3 vectors" in printed
        assert out.read_text() == netlist(array, inputs)

    @pytest.mark.parametrize("name", ["g.csv", "g.txt", "g.npz"])
    def test_matrix_and_inputs_come_in_any_format(self, run_here, matrix, tmp_path, name):
        array = matrix(4, 3)
        volts = np.array([[0.1, 0.2, 0.3, -0.4]])
        if name.endswith("npz"):
            np.savez(tmp_path / name, other=np.zeros(3), cells=array.g)
        else:
            delimiter = "," if name.endswith("csv") else " "
            np.savetxt(tmp_path / name, array.g, delimiter=delimiter, header="siemens", fmt="%.17g")
        np.savetxt(tmp_path / "v.csv", volts.T, fmt="%.17g")
        key = ["--key", "cells"] if name.endswith("npz") else []
        options = ["--matrix", tmp_path / name, *key, "--inputs", tmp_path / "v.csv", "--out", tmp_path / "o.cir"]
        assert run_here("spice", "export", *options)[0] == 0
        read, expected = (
            parse(text) for text in ((tmp_path / "o.cir").read_text(), netlist(array, Inputs(volts, False)))
        )
        assert (read.resistors, read.sources) == (expected.resistors, expected.sources)

    @pytest.mark.parametrize("size", ["", "rows: 0 cols: 64 "])
    def test_hardware_is_of_the_matrixs_size(self, run_here, matrix, tmp_path, size):
        matrix(4, 3)
        hardware = f"{size}r_wordline_segment_ohm: [1, 2] r_bitline_segment_ohm: [3, 4, 5]"
        (tmp_path / "chip.prototxt").write_text(f"# of the matrix\n{hardware}")
        written = []
        for source in (hardware, tmp_path / "chip.prototxt"):
            options = ["--matrix", tmp_path / "g.npy", "--hardware", source, "--out", tmp_path / "o.cir"]
            assert run_here("spice", "export", *options)[0] == 0
            written.append((tmp_path / "o.cir").read_text())
        assert written[0] == written[1]
        ohm = {name: value for name, _, _, value in parse(written[0]).resistors}
        assert [ohm["Rw0_0"], ohm["Rw0_1"], ohm["Rb0_0"], ohm["Rb1_0"], ohm["Rb2_0"]] == [1, 2, 3, 4, 5]

    @pytest.fixture
    def broken(self, matrix, tmp_path):
        """Files that are not what they should be."""
        matrix(4, 3)
        np.save(tmp_path / "three.npy", np.zeros((2, 2, 2)))
        np.save(tmp_path / "text.npy", np.array([["a", "b"]]))
        np.savez(tmp_path / "two.npz", a=np.zeros((2, 2)), b=np.zeros((2, 2)))
        (tmp_path / "negative.csv").write_text("1e-5,1e-5\n1e-5,-2e-5\n")
        (tmp_path / "words.csv").write_text("1e-5,1e-5\n1e-5,x\n")
        (tmp_path / "ragged.csv").write_text("1e-5,1e-5\n1e-5\n")
        (tmp_path / "empty.csv").write_text("")
        (tmp_path / "noise.npy").write_bytes(b"no array")
        (tmp_path / "noise.npz").write_bytes(b"no archive")
        (tmp_path / "short.csv").write_text("0.1,0.2\n")
        (tmp_path / "digits.csv").write_text("0,1,2,0\n")
        (tmp_path / "nan.csv").write_text("0,1,nan,0\n")
        return tmp_path

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], ["--matrix", "--model"]),
            (["--matrix", "g.npy", "--model", "x"], ["--matrix", "--model"]),
            (["--matrix", "g.npy", "--tile", "0,0"], ["--tile", "--model"]),
            (["--matrix", "nowhere.npy"], ["nowhere.npy", "File not found"]),
            (["--matrix", "three.npy"], ["three.npy", "(2, 2, 2)"]),
            (["--matrix", "text.npy"], ["text.npy", "real numbers"]),
            (["--matrix", "two.npz"], ["a, b", "key"]),
            (["--matrix", "two.npz", "--key", "c"], ["'c'", "a, b"]),
            (["--matrix", "g.npy", "--key", "c"], ["g.npy", "npz"]),
            (["--matrix", "negative.csv"], ["row 1, column 1", "-2e-05"]),
            (["--matrix", "words.csv"], ["words.csv", "x"]),
            (["--matrix", "ragged.csv"], ["ragged.csv"]),
            (["--matrix", "empty.csv"], ["empty.csv"]),
            (["--matrix", "noise.npy"], ["noise.npy"]),
            (["--matrix", "noise.npz"], ["noise.npz"]),
            (["--matrix", "g.npy", "--inputs", "short.csv"], ["short.csv", "2 values", "4"]),
            (["--matrix", "g.npy", "--inputs", "digits.csv", "--drive", "digits"], ["row 2", "2.0", "0 to 1"]),
            (["--matrix", "g.npy", "--inputs", "nan.csv"], ["nan.csv", "row 2", "finite"]),
            (["--matrix", "g.npy", "--inputs", "digits.csv", "--vectors", "2"], ["--inputs", "--vectors"]),
            (["--matrix", "g.npy", "--vectors", "0"], ["0 vectors"]),
            (["--matrix", "g.npy", "--seed", "-1"], ["seed -1"]),
            (["--matrix", "g.npy", "--hardware", "r_sink_ohm: -3"], ["r_sink_ohm", "-3"]),
            (["--matrix", "g.npy", "--hardware", "raws: 3"], ["raws", "1:"]),
            (
                ["--matrix", "g.npy", "--hardware", "r_wordline_segment_ohm: [1, 2, 3]"],
                ["3 values", "expected 2 (cols - 1)"],
            ),
            (["--matrix", "g.npy", "--drive", "amperes"], ["amperes", "volts"]),
            (["--matrix", "nowhere.npy", "--out", "nowhere/o.cir"], ["nowhere/o.cir: there is no folder nowhere"]),
            (["--model", LAYER[0]], ["--weights"]),
            (["--model", LAYER[0], "--weights", LAYER[1]], ["--layer"]),
            (["--model", LAYER[0], "--weights", LAYER[1], "--layer", "conv9"], ["conv9", "conv1, conv2"]),
            (["--model", LAYER[0], "--weights", LAYER[1], "--layer", "conv1"], ["conv1", "hardware"]),
        ],
    )
    def test_mistakes_are_one_line(self, refused, broken, monkeypatch, arguments, words):
        monkeypatch.chdir(broken)
        before = sorted(broken.iterdir())
        out = [] if "--out" in arguments else ["--out", "o.cir"]
        message = refused("spice", "export", *arguments, *out)
        for word in words:
            assert word in message
        assert sorted(broken.iterdir()) == before

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--tile", "7,0"], ["tile row 7", "0 to 0"]),
            (["--tile", "0,-1"], ["tile column -1"]),
            (["--tile", "1"], ["--tile '1'", "ROW,COLUMN"]),
            (["--group", "1"], ["group 1"]),
            (["--slice", "4"], ["slice 4", "0 to 3"]),
            (["--polarity", "negative", "--hardware", "signed_weights: OFFSET"], ["OFFSET"]),
            (["--key", "x"], ["--key"]),
        ],
    )
    def test_places_that_are_not_there(self, refused, tmp_path, arguments, words):
        layer = ["--model", LAYER[0], "--weights", LAYER[1], "--layer", LAYER[2], "--hardware", "rram_64x64"]
        message = refused("spice", "export", *layer, *arguments, "--out", tmp_path / "o.cir")
        for word in words:
            assert word in message

    def test_stored_conductances_have_no_cells(self, refused, tmp_path):
        out = tmp_path / "o.prototxt", tmp_path / "o.caffemodel"
        rxnn.convert(LAYER[0], LAYER[1], "rram_64x64", *out, layers="conv1")
        message = refused(
            "spice", "export", "--model", out[0], "--weights", out[1], "--layer", "conv1", "--out", tmp_path / "o.cir"
        )
        assert "plain weights" in message


class TestCheck:
    @needs_ngspice
    def test_prints_tables_and_writes_json(self, run_rxnn, matrix, tmp_path):
        matrix(18, 20)
        report = tmp_path / "report.json"
        status, out, err = run_rxnn("spice", "check", "--matrix", tmp_path / "g.npy", "--vectors", 3, "--json", report)
        assert status == 0, err
        for word in ("worst relative error", "3 vectors", "16 worst of 20", "whole run", "extraction", "agree"):
            assert word in out
        content = json.loads(report.read_text())
        assert content["agrees"] is True
        assert content["array"]["rows"] == 18
        assert len(content["columns"]["worst_relative_error"]) == 20
        assert max(content["columns"]["worst_relative_error"]) == content["worst_relative_error"] <= CIRCUIT
        seconds = content["seconds"]
        assert content["ratio"] == pytest.approx(
            seconds["ngspice_analysis_per_vector"] / seconds["fcm_kernel_per_vector"]
        )

    @needs_ngspice
    def test_of_curved_cells_shows_newton_and_the_model(self, run_here, matrix, tmp_path):
        matrix(8, 5)
        curve = ["--hardware", "cell_curve: SINH curve_v0_volt: 0.2", "--json", tmp_path / "report.json"]
        status, out = run_here("spice", "check", "--matrix", tmp_path / "g.npy", *curve)
        assert status == 0
        for word in ("Newton, worst", "Newton's method and ngspice agree", "effective conductances"):
            assert word in out
        content = json.loads((tmp_path / "report.json").read_text())
        columns = content["columns"]
        assert max(columns["newton_worst_relative_error"]) == content["newton_worst_relative_error"] <= CIRCUIT
        assert max(columns["worst_relative_error"]) == content["worst_relative_error"] > 1e-4
        assert content["seconds"]["newton"] > 0

    def test_cells_that_no_linear_ones_fit_are_named(self, refused, matrix, tmp_path):
        matrix(8, 5, "ideal")
        steep = "cell_curve: SINH curve_v0_volt: 0.004 r_source_ohm: 1e5 r_sink_ohm: 1e5"
        message = refused("spice", "check", "--matrix", tmp_path / "g.npy", "--hardware", steep)
        for word in ("did not converge", "iterations", "relative change"):
            assert word in message

    @needs_ngspice
    def test_fails_beyond_the_tolerance(self, run_here, matrix, tmp_path):
        matrix(6, 5)
        status, out = run_here("spice", "check", "--matrix", tmp_path / "g.npy", "--tolerance", "1e-20")
        assert status == 1
        assert "DISAGREE" in out

    def test_mistakes_end_with_status_1(self, fails):
        assert "--matrix" in fails("spice", "check")

    def test_a_report_that_cannot_be_written_is_refused_first(self, refused, tmp_path):
        options = ["--matrix", tmp_path / "none.npy", "--json", "nowhere/r.json"]
        assert "nowhere/r.json: there is no folder nowhere" in refused("spice", "check", *options)

    def test_without_a_command_there_is_help(self, run_here):
        for arguments in ([], ["spice"]):
            status, out = run_here(*arguments)
            assert status == 0
            assert out.startswith("Usage: rxnn ")
            assert "spice check" in out

    def test_missing_ngspice_is_named(self, refused, matrix, tmp_path, monkeypatch):
        matrix(4, 3)
        monkeypatch.setenv("PATH", str(tmp_path))
        message = refused("spice", "check", "--matrix", tmp_path / "g.npy")
        assert "Debian package ngspice" in message
        assert "nowhere/ngspice" in refused(
            "spice", "check", "--matrix", tmp_path / "g.npy", "--ngspice", "nowhere/ngspice"
        )

    @pytest.mark.parametrize(
        ("script", "words"),
        [
            ("echo 'doAnalyses: iteration limit reached'; exit 1", ["exit status 1", "iteration limit reached"]),
            ("echo 'Error: singular matrix' >&2; exit 0", ["exit status 0", "0 of 2 vectors", "singular matrix"]),
            ("printf 'Flags: real\\n' > \"$4\"", ["0 of 2 vectors"]),
            ("kill -9 $$", ["exit status -9"]),
            ("exec sleep 60", ["0.2 s"]),
        ],
    )
    def test_no_solution_is_one_line(self, refused, matrix, tmp_path, script, words):
        matrix(4, 3)
        program = tmp_path / "spice"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        options = ["--matrix", tmp_path / "g.npy", "--vectors", "2", "--ngspice", program]
        if "sleep" in script:
            options += ["--timeout", "0.2"]
        message = refused("spice", "check", *options)
        for word in ["ngspice", *words]:
            assert word in message
