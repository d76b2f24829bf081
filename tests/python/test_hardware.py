"""Hardware descriptions: presets, files, texts, messages; what is refused and how."""

import itertools
import re

import numpy as np
import pytest

import caffe
import rxnn
from caffe.proto.caffe_pb2 import CrossbarParameter
from rxnn.crossbar import program_matrix


def test_presets_are_there_and_possible():
    assert {"ideal", "rram_64x64", "pcm_128x128", "analog_64x64"} <= set(rxnn.presets())
    for preset in rxnn.presets():
        rxnn.load_hardware(preset)


def test_rram_preset_is_the_documented_chip():
    chip = rxnn.load_hardware("rram_64x64")
    expected = CrossbarParameter(
        rows=64,
        cols=64,
        weight_bits=8,
        input_bits=8,
        cell_bits=2,
        dac_bits=1,
        adc_bits=8,
        r_on_ohm=1e5,
        r_off_ohm=1e6,
        r_source_ohm=500,
        r_sink_ohm=100,
        r_wordline_ohm=2.5,
        r_bitline_ohm=2.5,
    )
    for field, value in expected.ListFields():
        assert getattr(chip, field.name) == value, field.name


def test_analog_preset_needs_one_slice_and_one_stream():
    chip = rxnn.load_hardware("analog_64x64")
    assert chip.cell_bits >= chip.weight_bits - 1
    assert chip.dac_bits == chip.input_bits


def test_every_source_is_taken(tmp_path):
    path = tmp_path / "chip.prototxt"
    path.write_text("rows: 32 cols: 16")
    message = CrossbarParameter(rows=32, cols=16)
    for source in (path, str(path), "rows: 32 cols: 16", message):
        assert rxnn.load_hardware(source) == message
    assert rxnn.load_hardware(message) is not message
    assert rxnn.load_hardware("") == CrossbarParameter()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rows: 0", ["rows", "0"]),
        ("cols: 5000", ["cols", "5000", "4096"]),
        ("r_source_ohm: -1", ["r_source_ohm", "-1"]),
        ("r_on_ohm: 1e6 r_off_ohm: 1e5", ["r_off_ohm", "r_on_ohm"]),
        ("cell_bits: 9", ["cell_bits", "9"]),
        ("weight_bits: 17", ["weight_bits", "17", "16"]),
        ("dac_bits: 9", ["dac_bits", "9"]),
        ("conductance_sigma: -0.1", ["conductance_sigma"]),
        ("stuck_on_rate: 2", ["stuck_on_rate", "2"]),
        ("adc_bits: 25", ["adc_bits", "25", "24"]),
        ("adc_range: GIVEN", ["adc_max_ampere"]),
        ("v_read_volt: 0", ["v_read_volt", "0"]),
        ("cols: 3 r_wordline_segment_ohm: [1, 2, 3]", ["r_wordline_segment_ohm", "3 values", "2 (cols - 1)"]),
        ("rows: 3 r_bitline_segment_ohm: [1, -2]", ["r_bitline_segment_ohm[1]", "-2"]),
        ("level_siemens: [1e-6, 2e-6, 3e-6]", ["level_siemens", "3 values", "4 (2^cell_bits)"]),
        ("level_sigma: [0, 0, 0, nan]", ["level_sigma[3]", "nan"]),
        ("cell_type: ONE_T_ONE_R r_access_on_ohm: -1", ["r_access_on_ohm", "-1"]),
        ("fault { row: 64 }", ["fault[0].row", "64", "0 to 63"]),
        ("fault { col: 4294967295 }", ["fault[0].col", "0 to 63"]),
        ("drift_time_second: 10 drift_t0_second: 20", ["drift_time_second", "10", "drift_t0_second (20)"]),
        ("cell_curve: SINH curve_v0_volt: 0", ["curve_v0_volt", "0", "above 0"]),
        ("cell_curve: TABLE", ["curve_volt and curve_ampere", "0 and 0 values"]),
        ("cell_curve: TABLE curve_volt: [1, 2] curve_ampere: [2, 1]", ["curve_ampere[1]", "1", "2"]),
        ("curve_inputs: 0", ["curve_inputs", "0", "1024"]),
        ("dac_bits: 2 dac_volt: [0, 0.1]", ["dac_volt", "2 values", "4 (2^dac_bits)"]),
        ("dac_volt: [0, 1] dac_polynomial: [0, 1]", ["dac_volt and dac_polynomial"]),
        ("dac_dnl_sigma_lsb: -1", ["dac_dnl_sigma_lsb", "-1"]),
        ("dac_gain_error: -1", ["dac_gain_error", "above -1"]),
        ("dac_noise_sigma_volt: nan", ["dac_noise_sigma_volt", "nan"]),
        ("adc_bits: 2 adc_transition_lsb: [1, 2]", ["adc_transition_lsb", "2 values", "3 (2^adc_bits - 1)"]),
        ("adc_bits: 2 adc_transition_lsb: [1, 3, 2]", ["adc_transition_lsb[2]", "2", "adc_transition_lsb[1] (3)"]),
        ("adc_percentile: 50", ["adc_percentile", "50", "100"]),
        ("adc_dnl_sigma_lsb: 2", ["adc_dnl_sigma_lsb", "2", "0 to 1"]),
        ("adc_polynomial: inf", ["adc_polynomial[0]", "inf"]),
        ("adc_bits: 0 adc_offset_lsb: 1", ["adc_bits", "ideal converter"]),
    ],
)
def test_impossible_hardware_is_named(tmp_path, text, words):
    path = tmp_path / "chip.prototxt"
    path.write_text(text)
    with pytest.raises(rxnn.HardwareError) as caught:
        rxnn.load_hardware(path)
    for word in (*words, "chip.prototxt"):
        assert word in str(caught.value)
    with pytest.raises(ValueError, match=re.escape(words[0])):
        rxnn.load_hardware(text)


def test_every_field_of_cells_and_wires_arrives():
    # What one layer becomes on a chip with each field, against the same without it.
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(12, 10))
    base = "rows: 16 cols: 16 "
    plain = program_matrix(weights, base).levels()
    for text in (
        "wordline_driven: BOTH_ENDS",
        "wordline_driven: ALTERNATING_ENDS",
        "bitline_sensed: BOTH_ENDS",
        "bitline_sensed: ALTERNATING_ENDS",
        "r_wordline_segment_ohm: [" + ", ".join(["3"] * 15) + "]",
        "r_bitline_segment_ohm: [" + ", ".join(["3"] * 15) + "]",
        "cell_type: ONE_T_ONE_R",
        "level_siemens: [1e-6, 3e-6, 7e-6, 1e-5]",
        "level_sigma: [0, 0, 0, 0.01]",
        "fault { row: 3 }",
        "fault { layer: 'matmul' array: 0 row: 3 col: 4 conductance_siemens: 1 }",
        "drift_time_second: 100 drift_nu: 0.01",
        "drift_time_second: 100 drift_nu_sigma: 0.01",
    ):
        assert not np.array_equal(program_matrix(weights, base + text).levels(), plain), text
    for text in ("fault { layer: 'other' row: 3 }", "drift_nu: 0.1", "r_access_on_ohm: 1"):
        np.testing.assert_array_equal(program_matrix(weights, base + text).levels(), plain, err_msg=text)


def test_every_field_of_converters_arrives():
    # What one product becomes on a chip with each field, against the same without it.
    rng = np.random.default_rng(1)
    weights, x = rng.normal(size=(24, 10)), rng.uniform(0, 1, (5, 24))
    base = "rows: 16 cols: 16 dac_bits: 2 adc_bits: 5 "
    plain = program_matrix(weights, base).matmul(x)
    for text in (
        "dac_volt: [0, 0.1, 0.2, 0.3]",
        "dac_polynomial: [0, 1, 0.1]",
        "dac_inl_lsb: 0.3",
        "dac_dnl_sigma_lsb: 0.2",
        "dac_gain_error: 0.1",
        "dac_offset_volt: 0.02",
        "dac_noise_sigma_volt: 0.01",
        "adc_gain_error: 0.1",
        "adc_gain_sigma: 0.1",
        "adc_offset_lsb: 0.4",  # a whole step would cancel in twins
        "adc_offset_sigma_lsb: 1",
        "adc_noise_sigma_lsb: 1",
        "adc_polynomial: [0.02, 0.9]",
        "adc_inl_lsb: 1",
        "adc_transition_lsb: [" + ", ".join(str(i + 0.3) for i in range(31)) + "]",
        "adc_dnl_sigma_lsb: 0.5",
        "adc_range: CALIBRATED",
        "cell_curve: SINH curve_v0_volt: 0.1",
    ):
        assert not np.array_equal(program_matrix(weights, base + text).matmul(x), plain), text
    calibrated = base + "adc_range: CALIBRATED "
    ranges = [
        program_matrix(weights, calibrated + text).matmul(x)
        for text in (
            "",
            "adc_calibration: PERCENTILE adc_percentile: 90",
            "adc_calibration: PERCENTILE adc_percentile: 95",
            "adc_calibration: MINIMUM_SQUARED_ERROR",
        )
    ]
    for first, second in itertools.combinations(ranges, 2):
        assert not np.array_equal(first, second)


def test_text_that_does_not_parse_has_a_place(tmp_path):
    path = tmp_path / "chip.prototxt"
    path.write_text("rows: 64\ncolumns: 64\n")
    with pytest.raises(caffe.Error, match=r"chip\.prototxt.*2:"):
        rxnn.load_hardware(path)


def test_texts_may_be_long():
    segments = ", ".join(["2.5"] * 2000)
    assert len(rxnn.load_hardware(f"cols: 2001 r_wordline_segment_ohm: [{segments}]").r_wordline_segment_ohm) == 2000
    with pytest.raises(rxnn.Error, match="neither a file nor a preset"):
        rxnn.load_hardware("x" * 5000)


def test_unknown_names_list_the_presets():
    with pytest.raises(rxnn.Error, match="rram_64x64"):
        rxnn.load_hardware("rram_63x63")
