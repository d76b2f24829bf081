"""Hardware descriptions: presets, files, texts, messages; what is refused and how."""

import pytest

import caffe
import rxnn
from caffe.proto.caffe_pb2 import CrossbarParameter


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
    ],
)
def test_impossible_hardware_is_named(tmp_path, text, words):
    path = tmp_path / "chip.prototxt"
    path.write_text(text)
    with pytest.raises(rxnn.HardwareError) as caught:
        rxnn.load_hardware(path)
    for word in (*words, "chip.prototxt"):
        assert word in str(caught.value)
    with pytest.raises(ValueError, match=words[0]):
        rxnn.load_hardware(text)


def test_text_that_does_not_parse_has_a_place(tmp_path):
    path = tmp_path / "chip.prototxt"
    path.write_text("rows: 64\ncolumns: 64\n")
    with pytest.raises(caffe.Error, match=r"chip\.prototxt.*2:"):
        rxnn.load_hardware(path)


def test_unknown_names_list_the_presets():
    with pytest.raises(rxnn.Error, match="rram_64x64"):
        rxnn.load_hardware("rram_63x63")
