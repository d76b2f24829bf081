"""Arrays in ngspice: their netlists, its answers, and how far the fast crossbar model is from them."""

from .check import SpiceCheck, Times, check
from .netlist import export_netlist, netlist
from .ngspice import NgspiceRun, run_ngspice

__all__ = ["NgspiceRun", "SpiceCheck", "Times", "check", "export_netlist", "netlist", "run_ngspice"]
