#!/usr/bin/env bash
# lindero import beside ogr2ogr: the same GeoPackage of parcels into the same
# cluster, in pairs, and the memory of our processes at two sizes.
#
#   bench/import.sh [PAIRS] [ROWS] [MANY]     default 5 pairs of 200000 rows, 2000000 rows once
#
# Needs target/release/lindero (cargo build --release -p lindero), GDAL's
# ogr2ogr and PostgreSQL with PostGIS. Makes a cluster of its own and deletes it.
set -euo pipefail
cd "$(dirname "$0")/.."
pairs="${1:-5}" rows="${2:-200000}" many="${3:-2000000}"
lindero="${LINDERO:-$PWD/target/release/lindero}"
[ -x "$lindero" ] || { echo "build it first: cargo build --release -p lindero" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/lindero-bench-XXXXXX")
export LINDERO_TEST_CLUSTER="$folder/cluster"
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    scripts/test-cluster stop
    rm -rf "$folder"
}
trap cleanup EXIT
chmod 755 "$folder"
mkdir "$folder/cluster"
scripts/test-cluster start >/dev/null
export PGHOST="$folder/cluster" PGPORT=5432 PGUSER=postgres PGOPTIONS="--client-min-messages=warning"
createdb bench
export DATABASE_URL="postgresql:///bench?host=$(printf %s "$PGHOST" | sed 's,/,%2F,g')&port=$PGPORT&user=postgres"
export LINDERO_DATA_DIR="$folder/data" LINDERO_LISTEN=127.0.0.1:0
"$lindero" municipality add 73001 >/dev/null
"$lindero" serve >"$folder/serve.log" 2>&1 &
server=$!

# Parcels as a cadastre has them: streets' width between blocks of 20, a few
# vertices that are not quite straight, attributes of several types. Geographic
# coordinates in the file, so that both programs reproject.
make_parcels() { # rows file
    psql -q -v ON_ERROR_STOP=1 -d bench -v blocks="$(( ($1 + 19) / 20 ))" -v rows="$1" >/dev/null <<'SQL'
DROP TABLE IF EXISTS public.parcels;
SELECT setseed(0.5);
CREATE UNLOGGED TABLE public.parcels AS
SELECT n::int AS id, lpad((730010100000000000000000000000 + n)::text, 30, '0') AS numero_predial,
       (ARRAY['residencial','comercial','institucional','industrial','lote'])[1 + floor(random() * 5)::int] AS destino,
       1 + floor(random() * 6)::int AS estrato, round((random() * 500 + 50)::numeric, 1)::float8 AS area_m2,
       'CL ' || j || ' ' || i || '-' || k AS direccion,
       ST_Transform(ST_SetSRID(ST_Rotate(ST_MakePolygon(ST_MakeLine(ARRAY[
           ST_MakePoint(x, y), ST_MakePoint(x + 5.5, y + random() * 0.6 - 0.3), ST_MakePoint(x + 11, y),
           ST_MakePoint(x + 11 + random() * 0.4 - 0.2, y + 17.5), ST_MakePoint(x + 11, y + 35),
           ST_MakePoint(x + 4.4, y + 35 + random() * 0.6 - 0.3), ST_MakePoint(x, y + 35), ST_MakePoint(x, y)])),
           0.35, 4750000, 2045000), 9377), 4326)::geometry(Polygon, 4326) AS geom
FROM (SELECT b * 20 + k + 1 AS n, b, k, b / side AS i, b % side AS j FROM generate_series(0, :blocks - 1) AS b,
          generate_series(0, 19) AS k, (SELECT ceil(sqrt(:blocks))::int AS side) AS s) AS block
CROSS JOIN LATERAL (SELECT 4745000.0 + i * 118 + (k % 10) * 11 AS x, 2040000.0 + j * 78 + (k / 10) * 35 AS y) AS at
WHERE n <= :rows;
SQL
    ogr2ogr -f GPKG "$2" "PG:dbname=bench" parcels -nln parcels -unsetFid 2>/dev/null
    psql -q -d bench -c 'DROP TABLE public.parcels' >/dev/null
}

seconds() { python3 -c 'import sys; print(f"{float(sys.argv[2]) - float(sys.argv[1]):.2f}")' "$1" "$2"; }
now() { date +%s.%N; }

by_ogr2ogr() { # file
    psql -q -d bench -c 'DROP TABLE IF EXISTS public.by_ogr2ogr' -c CHECKPOINT >/dev/null
    local begin; begin=$(now)
    ogr2ogr -f PostgreSQL "PG:dbname=bench" "$1" parcels -nln public.by_ogr2ogr -t_srs EPSG:9377 --config PG_USE_COPY YES
    seconds "$begin" "$(now)"
}

by_lindero() { # file
    "$lindero" layer remove by_lindero --yes >/dev/null 2>&1 || true
    psql -q -d bench -c CHECKPOINT >/dev/null
    local begin; begin=$(now)
    "$lindero" import "$1" --as by_lindero --municipality 73001 >"$folder/import.log" 2>&1 || { cat "$folder/import.log" >&2; exit 1; }
    seconds "$begin" "$(now)"
}

# The peak of the resident memory of a command and its children, summed, MB.
peak_of() {
    "$@" >"$folder/import.log" 2>&1 &
    local pid=$! peak=0
    while kill -0 "$pid" 2>/dev/null; do
        local sum=0 process kb
        for process in "$pid" $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
            kb=$(awk '/^VmRSS/{print $2}' "/proc/$process/status" 2>/dev/null || echo 0)
            sum=$((sum + ${kb:-0}))
        done
        [ "$sum" -gt "$peak" ] && peak=$sum
        sleep 0.05
    done
    wait "$pid" || { cat "$folder/import.log" >&2; exit 1; }
    echo $((peak / 1024))
}

echo "making $rows and $many parcels"
make_parcels "$rows" "$folder/parcels.gpkg"
make_parcels "$many" "$folder/many.gpkg"

echo "rows $rows"
echo "pair  ogr2ogr s  lindero s  ratio"
ratios=()
for pair in $(seq "$pairs"); do
    # Each goes first in turn.
    if [ $((pair % 2)) = 0 ]; then
        b=$(by_lindero "$folder/parcels.gpkg"); a=$(by_ogr2ogr "$folder/parcels.gpkg")
    else
        a=$(by_ogr2ogr "$folder/parcels.gpkg"); b=$(by_lindero "$folder/parcels.gpkg")
    fi
    ratio=$(python3 -c 'import sys; print(f"{float(sys.argv[2]) / float(sys.argv[1]):.2f}")' "$a" "$b")
    ratios+=("$ratio")
    printf '%4s  %9s  %9s  %5s\n' "$pair" "$a" "$b" "$ratio"
done
python3 -c 'import statistics, sys; print("median ratio", statistics.median(map(float, sys.argv[1:])), "(at most 1.5 wanted)")' "${ratios[@]}"

psql -At -d bench -c "SELECT 'rows that differ: ' || count(*) FROM public.by_ogr2ogr AS a JOIN geo.by_lindero AS b USING (id)
    WHERE a.numero_predial <> b.numero_predial OR ST_HausdorffDistance(a.wkb_geometry, b.geom) > 0.001" 2>/dev/null ||
psql -At -d bench -c "SELECT 'rows that differ: ' || count(*) FROM public.by_ogr2ogr AS a JOIN geo.by_lindero AS b USING (id)
    WHERE a.numero_predial <> b.numero_predial OR ST_HausdorffDistance(a.geom, b.geom) > 0.001"

"$lindero" layer remove by_lindero --yes >/dev/null
few=$(peak_of "$lindero" import "$folder/parcels.gpkg" --as few --municipality 73001)
lot=$(peak_of "$lindero" import "$folder/many.gpkg" --as lot --municipality 73001)
echo "peak memory: $few MB at $rows rows, $lot MB at $many rows, ratio $(python3 -c "print(f'{$lot / $few:.2f}')") (at most 1.2 wanted)"
