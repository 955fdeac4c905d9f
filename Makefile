# Everything runs in its own virtual environment; a fresh machine needs Python and make alone.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO ?= demo-out
PHOTOS ?= tests/photos

.PHONY: demo test check clean

demo: $(VENV)/ready
	$(BIN)/python tests/random_checkpoint.py $(DEMO)/depth_anything_v2_vits.pth
	$(BIN)/depthrt export $(DEMO)/depth_anything_v2_vits.pth -o $(DEMO)/model.onnx --size 252
	$(BIN)/depthrt run $(PHOTOS) --model $(DEMO)/model.onnx -o $(DEMO)/depth -f side -f npz --sheet $(DEMO)/sheet.jpg
	@echo "The weights are RANDOM: the pictures show that the way works, not what a trained model sees."

test: $(VENV)/ready
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

clean:
	rm -rf $(VENV) $(DEMO)
