# Everything runs in its own virtual environment; a fresh machine needs Python and make alone.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo-out
PHOTOS ?= tests/photos

.PHONY: demo test check pycuda kernels clean

# One path with spaces is taken as it is; several, or a pattern, as the shell splits them.
demo: $(VENV)/runs
	$(BIN)/depthrt run $(if $(shell test -e "$(PHOTOS)" && echo one),"$(PHOTOS)",$(PHOTOS)) \
		-o "$(DEMO)/depth" -f side --sheet "$(DEMO)/sheet.jpg"

test: $(VENV)/ready $(VENV)/pycuda
	$(BIN)/python -m pytest -rs

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, %d.%d found; give another, such as make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

# To run a model alone: no torch.
$(VENV)/runs: $(VENV)/made pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cpu]'
	touch $@

$(VENV)/ready: $(VENV)/made pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# pycuda without a GPU or CUDA, linked with the tests' stand-in for the driver. Where it does not build, one line says
# why and the tests that need it are skipped.
pycuda: $(VENV)/pycuda
	@test -e $<

$(VENV)/pycuda: $(VENV)/ready tests/support/build_pycuda.py
	$(BIN)/python tests/support/build_pycuda.py && touch $@ || true

# The CUDA kernels, compiled without a GPU or a toolkit; a test holds the result to its source.
kernels: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check nvidia-cuda-nvrtc-cu12==12.8.93 nvidia-nvfatbin-cu12==12.8.90
	$(BIN)/python -m depthrt.engine.cuda.kernels.compile_kernels

clean:
	rm -rf "$(VENV)" "$(DEMO)"
