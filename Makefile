# Everything runs in its own virtual environment; a fresh machine needs Python and make alone.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo-out
PHOTOS ?= tests/photos

.PHONY: demo test check pycuda kernels clean

demo: $(VENV)/ready
	$(BIN)/depthrt run $(PHOTOS) -o $(DEMO)/depth -f side -f npz --sheet $(DEMO)/sheet.jpg

test: $(VENV)/ready $(VENV)/pycuda
	$(BIN)/python -m pytest

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# pycuda without a GPU or CUDA, linked with the tests' stand-in for the driver. Where it does not build, one line says
# why and the tests that need it are skipped.
pycuda: $(VENV)/pycuda
	@test -e $<

$(VENV)/pycuda: $(VENV)/ready tests/build_pycuda.py
	$(BIN)/python tests/build_pycuda.py && touch $@ || true

# The CUDA kernels, compiled without a GPU or a toolkit; a test holds the result to its source.
kernels: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check nvidia-cuda-nvrtc-cu12==12.8.93 nvidia-nvfatbin-cu12==12.8.90
	$(BIN)/python -m depthrt.engine.cuda.compile_kernels

clean:
	rm -rf $(VENV) $(DEMO)
