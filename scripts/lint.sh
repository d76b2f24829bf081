#!/usr/bin/env bash
# Layout, style and structure: clang-format, ruff, the include arrows, and shell syntax.
#   scripts/lint.sh VENV_BIN
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${1:?usage: scripts/lint.sh VENV_BIN}

git ls-files '*.hpp' '*.cpp' '*.cu' '*.cuh' | xargs clang-format --dry-run --Werror
"$bin/ruff" check python tests scripts models examples benchmarks
"$bin/ruff" format --check python tests scripts models examples benchmarks
"$bin/python" scripts/check_includes.py
git ls-files '*.sh' .ci/run | xargs -n 1 bash -n
echo "lint: clean"
