/**
 * A geometry as its parts, each of rings (of a line or point there is one "ring"), each of positions: the same form
 * for every type, so that reshaping keeps holes and further parts without knowing of them.
 */
export type Position = [lon: number, lat: number];
export type Parts = readonly (readonly (readonly Position[])[])[];

/** The types that can be edited; collections of geometries are not among them. */
export type Editable = Exclude<GeoJSON.Geometry, GeoJSON.GeometryCollection>;
export type Shape = 'point' | 'line' | 'area';

/** Where a vertex is. Of a closed ring the last position is the first, and is not counted. */
export interface VertexAt {
  part: number;
  ring: number;
  index: number;
}

export const isEditable = (geometry: GeoJSON.Geometry | null | undefined): geometry is Editable =>
  geometry !== null && geometry !== undefined && geometry.type !== 'GeometryCollection';

export function shapeOf(type: string): Shape {
  if (type.endsWith('Point')) return 'point';
  return type.endsWith('LineString') ? 'line' : 'area';
}

/** Fewer positions than this are no line, or no ring (which has its first position twice). */
export const FEWEST: Record<Shape, number> = { point: 1, line: 2, area: 4 };

export function partsOf(geometry: Editable): Parts {
  switch (geometry.type) {
    case 'Point':
      return [[[geometry.coordinates as Position]]];
    case 'MultiPoint':
      return geometry.coordinates.map((position) => [[position as Position]]);
    case 'LineString':
      return [[geometry.coordinates as Position[]]];
    case 'MultiLineString':
      return geometry.coordinates.map((line) => [line as Position[]]);
    case 'Polygon':
      return [geometry.coordinates as Position[][]];
    case 'MultiPolygon':
      return geometry.coordinates as Position[][][];
  }
}

/** The geometry of these parts: of the type where they fit into it, else of the type of several. */
export function geometryOf(type: Editable['type'], parts: Parts): Editable {
  const shape = shapeOf(type);
  const multi = type.startsWith('Multi') || parts.length !== 1;
  const single = parts[0] ?? [];
  const coordinates = {
    point: () => (multi ? parts.map((part) => part[0]?.[0]) : single[0]?.[0]),
    line: () => (multi ? parts.map((part) => part[0]) : single[0]),
    area: () => (multi ? parts : single),
  }[shape]();
  const name = { point: 'Point', line: 'LineString', area: 'Polygon' }[shape];
  return { type: multi ? `Multi${name}` : name, coordinates } as Editable;
}

/** Of the layer's own type, where the layer keeps one or several parts only. */
export function fitted(geometry: Editable, layerType: string): Editable {
  const wanted = ['MultiPoint', 'MultiLineString', 'MultiPolygon'].find((type) => type === layerType);
  return wanted && shapeOf(wanted) === shapeOf(geometry.type) ? geometryOf(wanted as Editable['type'], partsOf(geometry)) : geometry;
}

/** What the server keeps of a degree: a millimetre. */
const DECIMALS = 1e8;
export const rounded = ([lon, lat]: readonly number[]): Position => [
  Math.round(lon! * DECIMALS) / DECIMALS,
  Math.round(lat! * DECIMALS) / DECIMALS,
];

export const samePlace = (one: readonly number[], other: readonly number[]): boolean => one[0] === other[0] && one[1] === other[1];
