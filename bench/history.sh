#!/usr/bin/env bash
# What it costs to keep the versions of features, beside not keeping them.
# Prints a table. Makes a cluster of its own and deletes it.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/lindero-bench-XXXXXX")
# PostgreSQL's user must reach it, also when we are root.
chmod 755 "$folder"
export LINDERO_TEST_CLUSTER="$folder/cluster"
trap 'scripts/test-cluster stop; rm -rf "$folder"' EXIT
settings=$(scripts/test-cluster start)
eval "$settings"
cargo bench --quiet --locked --package layers --bench history
