#!/usr/bin/env bash
# Runs the pycaffe tests with the modules of a build of the preset `asan`, leaks included.
#   scripts/asan_python.sh BUILD_FOLDER PYTHON [PYTEST_ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?usage: scripts/asan_python.sh BUILD_FOLDER PYTHON [PYTEST_ARGUMENT...]}
python=${2:?python}
shift 2
# Tests that start programs of others (ngspice, compilers) are left out: those would be judged too.
(($#)) || set -- tests/python/test_{caffe_module,net,net_passes,net_views,net_weights,memory_data,blob,solver,python_layer,net_spec,layers_truth,classifier,hdf5_data,coord_map,matmul,circuit}.py \
  tests/python/test_{caffe_command,caffe_tools,no_room,tools_data,caffe_train,snapshots_killed}.py
export RXNN_BUILD=$PWD/$build

# The interpreter is not built with the sanitizer: its library must be there before the modules. libstdc++ too, or the
# sanitizer does not find the function that throws.
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)"
export ASAN_OPTIONS=detect_leaks=1:malloc_context_size=${RXNN_ASAN_FRAMES:-2} LSAN_OPTIONS="suppressions=$PWD/tests/support/lsan.supp:print_suppressions=0"
export UBSAN_OPTIONS=print_stacktrace=1 OMP_WAIT_POLICY=passive
# Python's own pools would hide what it does with our memory.
export PYTHONMALLOC=malloc PYTHONPATH=$PWD/$build/packages PYTHONDONTWRITEBYTECODE=1
exec "$python" -m pytest -q -p no:cacheprovider "$@"
