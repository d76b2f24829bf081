# make demo   the main job on the embedded default, from nothing
# make test   all tests, from nothing
# Both install what is missing (scripts/setup.sh says what), build, and go on.

PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
JOBS ?= $(shell nproc)
VENV := .venv
BIN := $(VENV)/bin

FUZZ_SECONDS ?= 60

.PHONY: setup build demo test test-cpp test-python asan tsan fuzz bench lint format clean

setup:
	@PYTHON=$(PYTHON) scripts/setup.sh $(VENV)

build: setup
	@cmake --preset release -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python > build.log 2>&1 || (cat build.log; exit 1)
	@cmake --build build -j $(JOBS)

demo: build
	@$(BIN)/rxnn demo

test: test-cpp test-python fuzz

test-cpp: build
	@OMP_WAIT_POLICY=passive ctest --test-dir build --output-on-failure -j $(JOBS)

test-python: build
	@$(BIN)/python -m pytest

# All tests under AddressSanitizer and UndefinedBehaviorSanitizer; tests/README.md says what is left out.
asan: setup
	@cmake --preset asan -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python > /dev/null
	@cmake --build build-asan -j $(JOBS)
	@OMP_WAIT_POLICY=passive ctest --test-dir build-asan --output-on-failure -j $(JOBS)
	@scripts/asan_python.sh build-asan $(BIN)/python

# The C++ tests of what runs in threads, under ThreadSanitizer.
tsan: setup
	@cmake --preset tsan > /dev/null
	@cmake --build --preset tsan -j $(JOBS)
	@scripts/tsan.sh build-tsan $(JOBS)

# Every fuzz target for FUZZ_SECONDS.
fuzz: setup
	@cmake --preset fuzz > /dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	@scripts/fuzz.sh build-fuzz $(FUZZ_SECONDS) $(JOBS)

bench: build
	@scripts/bench.sh $(BIN)/python $(JOBS)

lint: setup
	@scripts/lint.sh $(BIN)

# Lays out C++ and Python; lint checks the same.
format: setup
	@git ls-files '*.hpp' '*.cpp' '*.cu' '*.cuh' | xargs clang-format -i
	@$(BIN)/ruff format python tests scripts models examples benchmarks
	@$(BIN)/ruff check --fix python tests scripts models examples benchmarks

clean:
	rm -rf build build-* build.log demo $(VENV)
