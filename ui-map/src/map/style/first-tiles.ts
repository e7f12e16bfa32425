import type { StyleSpecification } from 'maplibre-gl';

import { boundsOfView } from '../../catalogue/geometry';

const column = (lon: number, zoom: number): number => Math.floor(((lon + 180) / 360) * 2 ** zoom);

const row = (lat: number, zoom: number): number => {
  const sine = Math.sin((lat * Math.PI) / 180);
  return Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 2 ** zoom);
};

/**
 * The addresses of the tiles that a style needs to show a view of so many CSS pixels. They are known
 * before the engine is there, and can be on their way while it starts.
 */
export function firstTiles(
  style: StyleSpecification,
  view: { lon: number; lat: number; zoom: number },
  width: number,
  height: number,
): string[] {
  const wanted = new Set<string>();
  for (const layer of style.layers) {
    const { minzoom = 0, maxzoom = 24 } = layer;
    if ('source' in layer && view.zoom >= minzoom && view.zoom < maxzoom) wanted.add(layer.source);
  }
  const [west, south, east, north] = boundsOfView(view.lon, view.lat, view.zoom, width, height);
  const urls: string[] = [];
  for (const name of wanted) {
    const source = style.sources[name];
    if (source?.type !== 'vector' || !source.tiles?.[0]) continue;
    const { minzoom = 0, maxzoom = 22, bounds = [-180, -85, 180, 85] } = source;
    const zoom = Math.min(Math.floor(view.zoom), maxzoom);
    if (zoom < minzoom) continue;
    const [left, right] = [Math.max(west, bounds[0]), Math.min(east, bounds[2])];
    const [bottom, top] = [Math.max(south, bounds[1]), Math.min(north, bounds[3])];
    if (left > right || bottom > top) continue;
    for (let y = row(top, zoom); y <= row(bottom, zoom); y += 1) {
      for (let x = column(left, zoom); x <= column(right, zoom); x += 1) {
        urls.push(source.tiles[0].replace('{z}', String(zoom)).replace('{y}', String(y)).replace('{x}', String(x)));
      }
    }
  }
  return urls;
}
