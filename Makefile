# What there is to do here. The work is in scripts/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build web demo demo-stop test fmt lint docs bench

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 20

setup: ## Install what is missing to build and run
	@scripts/setup

web:
	@scripts/web

build: setup web ## Build the release binary with the web app inside: target/release/lindero
	@. scripts/say; run "Building the release binary (the first time takes some minutes)" \
	    "mend what cargo names above" cargo build --release --locked --package lindero

demo: build ## Start the server with the demonstration city, and leave it running
	@scripts/demo start

demo-stop: ## Stop the demonstration's server
	@scripts/demo stop

test: ## Every test: Rust, web app, browser (SLOW=1: schemathesis too)
	@scripts/test $(if $(SLOW),--slow)

fmt: ## Format the code
	@cargo fmt --all

lint: ## The lints alone
	@scripts/web --libraries
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cd ui-map && npm run --silent check

docs: ## Write the generated pages, and the book where mdbook is installed
	cargo run --quiet --package lindero -- config-reference > target/configuration.md
	cp target/configuration.md docs/src/operator/configuration.md
	cargo run --quiet --package lindero -- permission-reference > target/permissions.md
	cp target/permissions.md docs/src/operator/permissions.md
	@if command -v mdbook >/dev/null; then mdbook build docs; else echo "mdbook is not installed: the book was not built"; fi

bench: ## The benchmarks, each beside a peer
	@bench/run
