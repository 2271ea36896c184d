# Two commands on a fresh machine: `make run` and `make test`. See README.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Vite 8 needs npm 11; Node 20 ships npm 10.
NPM := $(shell npm --version 2>/dev/null | awk -F. '{ print ($$1 >= 11) ? "npm" : "npx --yes npm@11" }')
CARGO_TEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo "cargo nextest run" || echo "cargo test")

.PHONY: help run build console test test-rust test-console test-e2e lint openapi bench prove mutants clean need-build need-test

help: ## What there is to make
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

run: build ## Build everything, start the hub with the demo in ./data, print address and sign-ins
	target/release/tenantry demo --data ./data

build: console ## Build console and release binary
	cargo build --release --locked -p hub

console: need-build console/dist/index.html ## Build the console

# `npm install` keeps to the lock file; `npm ci` refuses it, because it lists the native builds of this platform only.
console/node_modules/.installed: console/package.json console/package-lock.json
	cd console && $(NPM) install --no-audit --no-fund
	touch $@

console/dist/index.html: console/node_modules/.installed $(shell find console/src console/public console/index.html console/vite.config.ts console/scripts -type f 2>/dev/null)
	cd console && $(NPM) run build
	touch $@

test: need-test lint test-rust test-console test-e2e ## The whole suite
	@echo "all suites passed"

test-rust: need-test ## Rust: unit, slices on SQLite and PostgreSQL, access matrix, crash tests
	$(CARGO_TEST) --workspace --locked
	cargo test --workspace --locked --doc

test-console: console/node_modules/.installed ## Console: type check, unit tests
	cd console && $(NPM) run typecheck && $(NPM) test

test-e2e: console need-test ## End to end: headless Chromium against the real binary
	cargo build --locked -p hub
	cd console && $(NPM) run e2e

lint: need-build console/node_modules/.installed ## Formats, clippy, console lint, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cd console && $(NPM) run lint
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check bans licenses sources; else echo "cargo-deny is not installed: dependencies unchecked"; fi

openapi: ## Write openapi.json and access.txt anew
	UPDATE=1 cargo test --locked -p hub --test contract --test access_matrix

bench: need-build ## Measure, side by side with a bare server
	cargo run --release --locked -p bench

prove: ## Prove the access policies for all inputs, and that broken ones are caught; UPDATE=1 writes docs/proofs.md
	@scripts/need prove
	@proofs/solver/get target/prove/solver
	cargo fmt --manifest-path proofs/Cargo.toml --check
	cargo run --quiet --locked --manifest-path proofs/Cargo.toml --target-dir target/prove/build

mutants: need-test ## Break the door in many ways, one at a time, and see that the tests notice; UPDATE=1 writes docs/mutations.md
	scripts/mutants

clean: ## Remove what was built, and the demo's data
	cargo clean
	rm -rf console/dist console/node_modules data

need-build:
	@scripts/need build

need-test:
	@scripts/need test
