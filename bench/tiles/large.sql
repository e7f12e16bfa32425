-- The parcels of the synthetic city over a bigger area at the same density:
-- :blocks by :blocks blocks of 20, as cities of 100 by 100 blocks side by side, so that
-- what lies together is stored together. One of several sessions that share the work
-- makes the cities with number % :sessions = :session.
INSERT INTO predios_pais
SELECT n, lpad((730010100000000000000000000000 + n)::text, 30, '0'),
       (ARRAY['residencial','comercial','institucional','industrial','lote'])[1 + floor(random() * 5)::int],
       1 + floor(random() * 6)::int, round((random() * 500 + 50)::numeric, 1)::float8, 'CL ' || j || ' ' || i || '-' || k,
       ST_Transform(ST_SetSRID(ST_Rotate(ST_MakePolygon(ST_MakeLine(ARRAY[
           ST_MakePoint(x, y), ST_MakePoint(x + 5.5, y + random() * 0.6 - 0.3), ST_MakePoint(x + 11, y),
           ST_MakePoint(x + 11 + random() * 0.4 - 0.2, y + 17.5), ST_MakePoint(x + 11, y + 35),
           ST_MakePoint(x + 4.4, y + 35 + random() * 0.6 - 0.3), ST_MakePoint(x, y + 35), ST_MakePoint(x, y)])),
           0.35, 4700000, 2040000), 9377), 4326)
FROM (SELECT city, city / (:blocks / 100) * 100 + block / 100 AS i, city % (:blocks / 100) * 100 + block % 100 AS j, block
      FROM generate_series(0, (:blocks / 100) * (:blocks / 100) - 1) AS city, generate_series(0, 9999) AS block
      WHERE city % :sessions = :session) AS place
CROSS JOIN LATERAL (SELECT k, (city::bigint * 10000 + block) * 20 + k + 1 AS n, 4694000.0 + i * 118 + (k % 10) * 11 AS x,
                           2036000.0 + j * 78 + (k / 10) * 35 AS y FROM generate_series(0, 19) AS k) AS parcel;
