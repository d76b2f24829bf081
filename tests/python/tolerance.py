"""Tolerances of the Python tests, each with its reason."""

# Currents and conductances of linear arrays against an independent solver in double precision (scipy's splu, ngspice),
# relative to what they are sums of. Both sides are backward stable: eps times the circuit's condition number, which for
# segments from 1 milliohm and cells of 1 to 1000 kohm stays below 1e6, with a margin.
CIRCUIT = 1e-9

# Levels and weights stored as float32: half a unit in the last place, a few roundings.
FLOAT32 = 1e-6

# float32 layer outputs and gradients against a double reference, relative to the larger of 1 and the largest value: a
# few hundred roundings.
LAYER_RELATIVE = 1e-5

# Weights, losses and scores near 1 after ten float32 training steps on the GPU against the CPU: sums in another order.
OTHER_DEVICE = 1e-4


def level_units(largest_level, sum_of_digits):
    """Levels that products of bytes take as whole numbers, each off by half a unit at most (support/tolerance.hpp)."""
    return 1.01 * largest_level * sum_of_digits / 2**22
