#!/usr/bin/env bash
# Our tiles beside Martin's: the same PostGIS, the same parcels, the same lists
# of distinct tiles, in pairs. Prints a table.
#
#   bench/tiles.sh [--large] [--blocks N] [--pairs N] [--seconds S] [--only ROWS]
#
# --large    also 20 million parcels (about 15 GB of disk, half an hour): --blocks a
#            side (1000, hundreds), 20 parcels each
# --pairs    how many pairs of runs for each figure (3); --seconds of each run (8)
# --only     some of the groups of rows: cold,compressed,cached,edits,restart,lots,city,large
#
# Needs target/release/lindero (cargo build --release -p lindero) or LINDERO, Martin
# 1.14 on the path or MARTIN, wrk, GDAL's ogr2ogr, PostgreSQL with PostGIS, and the
# shared folder with bench/ beside the project's (LINDERO_SHARED_DATA names its data/).
# Makes a cluster of its own and deletes it.
set -euo pipefail
cd "$(dirname "$0")/.."

pairs=3 seconds=8 blocks=1000 patience=180 groups=cold,compressed,cached,edits,restart,lots,city
while [ $# -gt 0 ]; do
    case "$1" in
    --large) groups=$groups,large ;;
    --blocks) blocks=$2; shift ;;
    --pairs) pairs=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    --only) groups=$2; shift ;;
    *) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done
wants() { [[ ",$groups," == *",$1,"* ]]; }

data="${LINDERO_SHARED_DATA:-$PWD/../shared/data}" parcels="${LINDERO_SHARED_DATA:-$PWD/../shared/data}/../bench"
lindero="${LINDERO:-$PWD/target/release/lindero}"
martin="${MARTIN:-$(command -v martin || true)}"
need() { echo "$1" >&2; exit 1; }
[ -x "$lindero" ] || need "build it first: cargo build --release -p lindero"
[ -x "$martin" ] || need "Martin is missing: cargo install martin --version 1.14.0 --locked --no-default-features --features postgres (or say where it is: MARTIN=...)"
command -v wrk >/dev/null || need "wrk is missing: apt-get install wrk"
[ -r "$parcels/parcels.sql" ] || need "$parcels/parcels.sql is missing: the shared folder must lie beside the project's, or LINDERO_SHARED_DATA name its data/"

python="$PWD/target/bench/bin/python"
if ! cmp -s bench/tiles/requirements.txt target/bench/requirements.txt; then
    rm -rf target/bench
    python3 -m venv target/bench
    "$python" -m pip install --quiet --disable-pip-version-check -r bench/tiles/requirements.txt
    cp bench/tiles/requirements.txt target/bench/
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/lindero-bench-XXXXXX")
export LINDERO_TEST_CLUSTER="$folder/cluster"
. bench/tiles/servers
. bench/tiles/measure
cleanup() { # also after a failure: what was measured is worth having
    [ ! -s "$folder/table" ] || { echo; cat "$folder/table"; }
    stop_ours
    stop_martin
    scripts/test-cluster stop
    rm -rf "$folder"
}
trap cleanup EXIT
chmod 755 "$folder"
mkdir "$folder/cluster" "$folder/lists"
scripts/test-cluster start >/dev/null
export PGHOST="$folder/cluster" PGPORT=5432 PGUSER=postgres PGOPTIONS="--client-min-messages=warning"
createdb bench
export DATABASE_URL="postgresql:///bench?host=$(printf %s "$PGHOST" | sed 's,/,%2F,g')&port=$PGPORT&user=postgres"
export LINDERO_DATA_DIR="$folder/data" LINDERO_LISTEN=127.0.0.1:0 LINDERO_LOG=warn
sql() { psql -qAt -v ON_ERROR_STOP=1 -d bench "$@"; }

say "making the parcels"
"$lindero" municipality add 73001 >/dev/null
sql -f "$parcels/parcels.sql" >/dev/null
# Martin has the attributes, and so have we: no titles, no labels.
"$lindero" layer publish predios --municipality 73001 --title Predios --sector base --public >/dev/null
features=$(sql -c 'SELECT count(*) FROM predios')

tiles_of() { python3 "$parcels/tiles.py" predios 2000 7 "$@"; }
tiles_of 14 >"$folder/z14"
tiles_of 15 >"$folder/z15"
tiles_of 14 15 >"$folder/z14-z15"
tiles_of 16 17 18 >"$folder/z16-z18"
tiles_of 16 >"$folder/z16"

head_of_table
if wants cold || wants compressed; then
    start_ours 0 "$features"
    start_martin 0
    read -r anon file <<<"$(memory)"
    row_of "memory at rest, $features parcels of 6 attributes: RssAnon, RssFile" "$anon MB, $file MB" - - "150 MB"
fi
if wants cold; then
    compare "cold z14" z14 8 '' 25
    row_of "cold z14, p99" "$(median "${our_p99[@]}") ms" "$(median "${martin_p99[@]}") ms" "1/$(median "${p99_ratios[@]}")" 1/15
    compare "cold z15" z15 8 '' 20
    compare "cold z16-z18" z16-z18 8 '' 15
    uncached=$(median "${our_rates[@]}")
fi
if wants compressed; then
    compare "cold z14-z15, zstd" z14-z15 8 zstd 15
    compare "cold z14-z15, gzip only" z14-z15 8 gzip 8
fi
if wants cold || wants compressed; then
    read -r anon file <<<"$(memory)"
    row_of "memory after these runs: RssAnon, RssFile" "$anon MB, $file MB" - - "150 MB"
fi
if wants cached; then
    start_ours 512 "$features"
    start_martin 512
    compare "cached z16, gzip" z16 16 gzip 80
    compare "cached z16, no compression" z16 16 '' 1
fi
stop_martin
if wants edits; then
    [ -n "${uncached:-}" ] || { start_ours 0 "$features"; uncached=$(rate_of_ours z16-z18 predios); }
    # Parcels that are seen from afar, beside the city, to look for at low zooms.
    sql -c "INSERT INTO predios SELECT $features + n, 'LEJOS ' || n, 'lote', 1, 1e6, '-',
                ST_Transform(ST_MakeEnvelope(x, y, x + 1500, y + 1500, 9377), 4326)
            FROM generate_series(1, 40) AS n, LATERAL (SELECT 4692000 + n % 8 * 2000 AS x, 2046000 + n / 8 * 2000 AS y) AS at"
    # A cache that the load does not fit into, and the edited tiles do.
    start_ours 16 $((features + 40))
    edits "edit to tile, z16 (cut from features), p99" 16 20 1 '' "200 ms"
    edits "edit to tile, z11 (precomputed), p99" 11 40 25 "id > $features" "5000 ms"
    stop_ours
    sql -c "DELETE FROM predios WHERE id > $features"
fi
if wants restart; then
    start_ours 64 "$features"
    stop_ours
    for _ in $(seq "$pairs"); do
        read -r whole first <<<"$("$python" bench/tiles/restart.py "$lindero" "127.0.0.1:$(free_port)" predios "$features" 16 2>>"$folder/ours.log")"
        say "restart: $whole s (any answer: $first s)"
        restarts+=("$whole")
    done
    row_of "restart, from exec to a tile of the index, caught up" "$(median "${restarts[@]}") s" - - "2 s"
fi
if wants lots && ls "$data"/perf/bogota_lotes*.geojson.gz >/dev/null 2>&1; then
    . bench/tiles/lots
fi
if wants city; then
    . bench/tiles/city
fi
if wants large; then
    . bench/tiles/large
fi
