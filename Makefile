# Two commands on a fresh machine: `make demo` and `make test`. `make` alone explains the others.
# Every target can be repeated; what is up to date is not made again.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet
CODE   := $(wildcard gate tests tools bench examples)
REGO   := $(wildcard rego rego_tests)
NATIVE := $(shell find native/src native/Cargo.toml native/Cargo.lock -type f)

# Evaluated where they are used: they need a Python and a Go that preflight has seen.
# The build backend looks for maturin on the PATH.
RELEASE_FLAGS = PATH="$$PWD/$(BIN):$$PATH" CARGO_ENCODED_RUSTFLAGS="$$($(PYTHON) tools/rustflags.py)"
OPA           = "$$($(PYTHON) tools/build.py opa)"
REGAL         = "$$($(PYTHON) tools/build.py regal)"
say           = @printf '\n== %s\n' '$(1)'

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check lint lint-python lint-rust lint-rego test-rust test-rego test-python test-kube test-slow \
        test-faults fuzz bench docs manifests lock wheel clean preflight preflight-test

help:  ## show this list
	@printf 'make <target>\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

demo: $(STAMPS)/package  ## set up, build, then refuse and approve a model release and explain why
	$(BIN)/python examples/model-release/demo.py

test: lint test-rust test-rego test-python  ## everything: style, types, Rust, Rego, Python
	$(call say,all checks and tests passed)

check: lint test-python  ## the quick half of `test`: no Rust and Rego suites

lint: preflight-test lint-python lint-rust lint-rego  ## style, types, direction of imports, Rust and Rego linters

lint-python: preflight-test $(STAMPS)/dev $(STAMPS)/package
	$(call say,ruff: rules and format)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(call say,mypy: types)
	$(BIN)/mypy $(CODE)
	$(call say,stubtest: the stub of gate._native against the extension module)
	$(BIN)/stubtest gate._native
	$(call say,import-linter: direction of imports)
	$(BIN)/lint-imports

lint-rust: preflight-test
	$(call say,cargo fmt and clippy)
	cd native && cargo fmt --check
	cd native && cargo clippy --locked --quiet --all-targets -- --deny warnings

lint-rego: preflight-test
	$(call say,opa fmt and opa check: format and types and only builtins that both engines have)
	$(OPA) fmt --list --fail $(REGO)
	$(OPA) check --strict --capabilities gate/_data/workshop/capabilities.portable.json $(REGO)
	$(OPA) check --strict --capabilities gate/_data/workshop/capabilities.portable.json --schema schemas $(wildcard rego)
	$(call say,regal: Rego rules)
	$(REGAL) lint --config-file .regal/config.yaml $(REGO)

test-rust: preflight-test  ## the engine without Python
	$(call say,cargo test)
	cd native && cargo test --locked --quiet --no-default-features

test-rego: preflight-test  ## the policy library under OPA, with full coverage
	$(call say,opa test: the policy library with every line covered)
	$(PYTHON) tools/rego_tests.py $(OPA) $(REGO)

test-python: preflight-test $(STAMPS)/dev $(STAMPS)/package  ## unit, acceptance, property, packaging and Kubernetes tests
	@# Once, before the tests ask for them side by side. The API server of Kubernetes takes minutes.
	@for tool in composecheck ociparts kube; do $(PYTHON) tools/build.py $$tool > /dev/null; done
	$(call say,pytest with coverage)
	$(BIN)/python -m pytest --cov --cov-report=term --ignore=tests/property --ignore=tests/fuzz --ignore=tests/kube
	$(call say,the stages that decide: every line and branch)
	$(BIN)/python -m coverage report --fail-under=100 \
	  --include='gate/model/*,gate/formats/*,gate/verify/*,gate/normalize/*,gate/evaluate/*,gate/decide.py'
	@# They run the same code thousands of times, and show nothing that others did not cover.
	$(call say,pytest: properties and mutants and engines beside each other and a short round of fuzzing and a real API server)
	$(BIN)/python -m pytest tests/property tests/fuzz tests/kube

test-kube: preflight-test $(STAMPS)/dev $(STAMPS)/package  ## the webhook and its chart in a real Kubernetes API server
	$(PYTHON) tools/build.py ociparts > /dev/null
	$(PYTHON) tools/build.py kube > /dev/null
	$(BIN)/python -m pytest -n 0 tests/kube

test-slow: preflight-test $(STAMPS)/dev $(STAMPS)/package  ## against a real Sigstore and cosign: minutes to build, once
	$(PYTHON) tools/build.py sigparts > /dev/null
	$(BIN)/python -m pytest -n 0 tests/slow

FAULTS_RATE  ?=
FAULTS_KILLS ?= 20

test-faults: preflight-test $(STAMPS)/dev $(STAMPS)/package  ## the webhook under load while things break: FAULTS_KILLS=200, FAULTS_RATE=50
	$(PYTHON) tools/build.py ociparts > /dev/null
	FAULTS_RATE='$(FAULTS_RATE)' FAULTS_KILLS='$(FAULTS_KILLS)' $(BIN)/python -m pytest -n 0 tests/faults

FUZZ_SECONDS ?= 600
FUZZ_ONLY    ?=
FUZZ_JOBS    ?= $(shell getconf _NPROCESSORS_ONLN)

fuzz: preflight-test $(STAMPS)/fuzz $(STAMPS)/package  ## every reader with made and mutated input: FUZZ_SECONDS=600 each, FUZZ_ONLY=name
	$(call say,fuzzing: failures are kept in .fuzz)
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --only '$(FUZZ_ONLY)' --jobs $(FUZZ_JOBS)

bench: $(STAMPS)/dev $(STAMPS)/package  ## the benchmarks
	$(BIN)/python -m bench

docs: $(STAMPS)/dev $(STAMPS)/package  ## write the generated parts of the documentation again
	$(BIN)/python tools/docs.py
	$(BIN)/python tools/control_pages.py
	$(BIN)/python tools/readme.py

manifests: preflight-test $(STAMPS)/package  ## write deploy/manifests and deploy/alerts again, from the chart
	$(BIN)/python tools/manifests.py

lock: preflight  ## newest versions that fit requirements/*.in into the lock files
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --require-hashes -r requirements/lock.lock
	cd requirements && for name in runtime opa server extras dev fuzz build lock; do \
	  ../.venv-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$$name.in" -o "$$name.lock"; done

wheel: $(STAMPS)/package  ## the wheel, in dist/
	$(RELEASE_FLAGS) maturin build --release --locked --interpreter $(BIN)/python --out dist
	@ls -l dist

clean:  ## remove what these targets made in the checkout
	rm -rf $(VENV) .venv-lock dist native/target .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache \
	  .import_linter_cache .hypothesis .fuzz gate/_native*.so
	find gate tests tools bench examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

preflight:
	@$(PYTHON) tools/preflight.py build

preflight-test:
	@$(PYTHON) tools/preflight.py test

$(STAMPS)/runtime: requirements/runtime.lock requirements/build.lock | preflight
	$(call say,a new environment with the runtime requirements)
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) --require-hashes -r requirements/build.lock -r requirements/runtime.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements/dev.lock $(STAMPS)/runtime
	$(call say,what the checks and tests need)
	$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@

$(STAMPS)/fuzz: requirements/fuzz.lock $(STAMPS)/dev
	$(call say,what guides fuzzing by coverage)
	$(PIP) --require-hashes -r requirements/fuzz.lock
	@touch $@

# The extension module lies in the source tree; without it the stamp says nothing.
ifeq ($(wildcard gate/_native*.so gate/_native*.pyd),)
.PHONY: $(STAMPS)/package
endif
$(STAMPS)/package: pyproject.toml $(NATIVE) $(STAMPS)/runtime
	$(call say,the extension module and an editable install: one to two minutes the first time)
	$(RELEASE_FLAGS) $(PIP) --no-build-isolation --no-deps --editable .
	@touch $@
