"""What real converters cost: one layer of 64 x 64 weights on rram_64x64, with each kind of flaw.

Processor time of CrossbarMatrix::Multiply on one thread, 512 vectors, the best of five: nanoseconds per conversion (a
column of an array in one stream), and the ratio to the same layer with ideal converters.
"""

import os
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

import rxnn

VECTORS = 512
FLAWS = {
    "ideal converters": "",
    "ideal, a range that saturates": "adc_range: GIVEN adc_max_ampere: 2e-5",
    "read noise": "read_noise_sigma: 0.01",
    "DAC table": "dac_bits: 1 dac_volt: [0, 0.249]",
    "DAC steps": "dac_dnl_sigma_lsb: 0.01",
    "DAC noise": "dac_noise_sigma_volt: 0.001",
    "ADC gain and offset, and their spread": "adc_gain_sigma: 0.01 adc_offset_sigma_lsb: 0.5",
    "ADC noise": "adc_noise_sigma_lsb: 0.5",
    "ADC polynomial": "adc_polynomial: [0, 0.99, 0.01]",
    "ADC transitions": "adc_transition_lsb: [" + ", ".join(str(i + 0.5) for i in range(255)) + "]",
    "ADC code widths": "adc_dnl_sigma_lsb: 0.2",
}


def seconds(hardware: str) -> tuple[float, int]:
    """Of one product, and its conversions."""
    rng = np.random.default_rng(1)
    chip = rxnn.load_hardware("rram_64x64")
    chip.MergeFrom(rxnn.load_hardware(hardware))
    matrix = rxnn.program_matrix(rng.normal(size=(64, 64)), chip)
    codes = rng.integers(0, 256, (VECTORS, 64)).astype(np.int32)
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        matrix.multiply(codes)
        best = min(best, time.process_time() - start)
    return best, VECTORS * 64 * 8 * 4 * 2


def main() -> None:
    """Prints the table."""
    print(f"{'':<40} {'ns/conversion':>13} {'ratio':>7}")
    first = None
    for name, hardware in FLAWS.items():
        total, conversions = seconds(hardware)
        first = first or total
        print(f"{name:<40} {total / conversions * 1e9:>13.2f} {total / first:>7.1f}")


if __name__ == "__main__":
    main()
