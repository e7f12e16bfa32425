import type { Bounds, Feature } from '../api/types';

/** Which ways of drawing a layer needs: by its geometry type, or all of them where types are mixed. */
export function shapesOf(geometryType: string): { points: boolean; lines: boolean; polygons: boolean } {
  const type = geometryType.toLowerCase();
  const mixed = !/point|line|polygon/.test(type);
  return {
    points: mixed || type.includes('point'),
    lines: mixed || type.includes('line'),
    polygons: mixed || type.includes('polygon'),
  };
}

/** The box around features; none where they have no geometry. */
export function boundsOfFeatures(features: Feature[]): Bounds | null {
  const bounds: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (coordinates: unknown): void => {
    if (!Array.isArray(coordinates)) return;
    const [x, y] = coordinates as unknown[];
    if (typeof x === 'number' && typeof y === 'number') {
      bounds[0] = Math.min(bounds[0], x);
      bounds[1] = Math.min(bounds[1], y);
      bounds[2] = Math.max(bounds[2], x);
      bounds[3] = Math.max(bounds[3], y);
    } else {
      for (const part of coordinates) take(part);
    }
  };
  const walk = (geometry: GeoJSON.Geometry | null): void => {
    if (!geometry) return;
    if (geometry.type === 'GeometryCollection') geometry.geometries.forEach(walk);
    else take(geometry.coordinates);
  };
  for (const feature of features) walk(feature.geometry);
  return Number.isFinite(bounds[0]) ? bounds : null;
}

/** How far south of the map's upper edge a latitude lies, as a part of the whole. */
export const mercatorY = (lat: number): number => {
  const sine = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
};

/** The view that shows a box in a window of so many CSS pixels (tiles of 512, as MapLibre counts zooms). */
export function viewOf(bounds: Bounds, width: number, height: number, maxZoom = 18): { lon: number; lat: number; zoom: number } {
  const [west, south, east, north] = bounds;
  const spanX = Math.max((east - west) / 360, 1e-9);
  const spanY = Math.max(mercatorY(south) - mercatorY(north), 1e-9);
  const zoom = Math.min(Math.log2(width / 512 / spanX), Math.log2(height / 512 / spanY), maxZoom);
  return { lon: (west + east) / 2, lat: (south + north) / 2, zoom: Math.max(0, zoom) };
}

/** The box that a view shows, near enough: for the list where there is no map to ask. */
export function boundsOfView(lon: number, lat: number, zoom: number, width: number, height: number): Bounds {
  const degreesAPixel = 360 / (512 * 2 ** zoom);
  const halfX = (degreesAPixel * width) / 2;
  const halfY = ((degreesAPixel * height) / 2) * Math.cos((lat * Math.PI) / 180);
  return [lon - halfX, Math.max(-85, lat - halfY), lon + halfX, Math.min(85, lat + halfY)];
}

/** Metres of a degree of latitude; one of longitude has no more. */
export const METRES_A_DEGREE = 111_320;

/** Whether the boxes have a point in common. */
export const overlap = (one: Bounds, other: Bounds): boolean =>
  one[0] <= other[2] && one[2] >= other[0] && one[1] <= other[3] && one[3] >= other[1];

/** Metres that a CSS pixel covers at a latitude and zoom. */
export const metresAPixel = (lat: number, zoom: number): number =>
  (40_075_016.686 * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** zoom);
