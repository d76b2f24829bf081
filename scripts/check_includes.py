"""Checks who includes whom (docs/architecture.md): core and engine know nothing of each other.

Exits with 1 and one line per forbidden include.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)

# Folders of the core, each with those whose headers it may use besides its own.
CORE: dict[str, set[str]] = {
    "cuda": set(),
    "device": {"cuda"},
    "periphery": {"device"},
    "circuit": {"device", "cuda"},
    "mapping": {"device", "cuda"},
    "vmm": {"periphery", "cuda"},
    "crossbar": {"device", "circuit", "periphery", "mapping", "vmm"},
    "images": {"crossbar", "mapping", "vmm", "cuda"},
    "gpu": {"device", "circuit", "periphery", "mapping", "vmm", "crossbar", "images", "cuda"},
    "spice": {"device", "circuit", "periphery"},
}
# Public headers of the core belong to a folder.
PUBLIC = {
    "rxnn/hardware.hpp": "device",
    "rxnn/random.hpp": "device",
    "rxnn/device.hpp": "device",
    "rxnn/iv_curve.hpp": "device",
    "rxnn/circuit.hpp": "circuit",
    "rxnn/periphery.hpp": "periphery",
    "rxnn/current_histogram.hpp": "periphery",
    "rxnn/mapping.hpp": "mapping",
    "rxnn/crossbar_matrix.hpp": "crossbar",
    "rxnn/input_vectors.hpp": "crossbar",
    "rxnn/convolution.hpp": "images",
    "rxnn/gpu.hpp": "gpu",
    "rxnn/spice.hpp": "spice",
}
# Every folder may read the description of the hardware.
COMMON = {"rxnn/hardware.hpp"}
FOREIGN = re.compile(r"^(caffe/|google/|glog/|gflags/|opencv|cblas|lmdb|hdf5|pybind11|Python\.h)")


def includes(path: Path) -> list[str]:
    """The files that `path` includes, as written."""
    return INCLUDE.findall(path.read_text())


def sources(folder: str) -> list[Path]:
    """All C++ and CUDA files under `folder`."""
    return [p for p in sorted((ROOT / folder).rglob("*")) if p.suffix in {".hpp", ".cpp", ".cu", ".cuh"}]


def core_folder(include: str) -> str | None:
    """The core folder an include belongs to, or None for one from outside."""
    if include in PUBLIC:
        return PUBLIC[include]
    head = include.split("/")[0]
    return head if head in CORE else None


def check_core() -> list[str]:
    """Arrows inside the core and out of it."""
    problems = []
    for header in sources("include/rxnn"):
        if f"rxnn/{header.name}" not in PUBLIC:
            problems.append(f"{header.relative_to(ROOT)}: not listed in scripts/check_includes.py")
    for folder, allowed in CORE.items():
        own = [ROOT / "include" / name for name, owner in PUBLIC.items() if owner == folder]
        for path in [*sources(f"src/{folder}"), *own]:
            for include in includes(path):
                target = core_folder(include)
                if FOREIGN.match(include) or include.startswith("rxnn_layers/"):
                    problems.append(f"{path.relative_to(ROOT)}: the core must not include {include}")
                elif target and target != folder and target not in allowed and include not in COMMON:
                    problems.append(f"{path.relative_to(ROOT)}: {folder} must not include {include} of {target}")
    return problems


def check_engine() -> list[str]:
    """The engine never sees the core."""
    return [
        f"{path.relative_to(ROOT)}: the engine must not include {include}"
        for path in sources("caffe")
        for include in includes(path)
        if include.startswith(("rxnn/", "rxnn_layers/")) or core_folder(include)
    ]


def main() -> int:
    """Prints what is wrong; 1 if anything is."""
    problems = check_core() + check_engine()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
