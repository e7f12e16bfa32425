import InteriorPointArea from 'jsts/org/locationtech/jts/algorithm/InteriorPointArea.js';
import SimplePointInAreaLocator from 'jsts/org/locationtech/jts/algorithm/locate/SimplePointInAreaLocator.js';
import Orientation from 'jsts/org/locationtech/jts/algorithm/Orientation.js';
import Coordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
import Location from 'jsts/org/locationtech/jts/geom/Location.js';
import GeoJSONReader from 'jsts/org/locationtech/jts/io/GeoJSONReader.js';
import GeoJSONWriter from 'jsts/org/locationtech/jts/io/GeoJSONWriter.js';
import LocationIndexedLine from 'jsts/org/locationtech/jts/linearref/LocationIndexedLine.js';
import LineMerger from 'jsts/org/locationtech/jts/operation/linemerge/LineMerger.js';
import OverlayOp from 'jsts/org/locationtech/jts/operation/overlay/OverlayOp.js';
import Polygonizer from 'jsts/org/locationtech/jts/operation/polygonize/Polygonizer.js';
import UnionOp from 'jsts/org/locationtech/jts/operation/union/UnionOp.js';
import IsValidOp from 'jsts/org/locationtech/jts/operation/valid/IsValidOp.js';

import { type Editable, geometryOf, isEditable, partsOf, type Position, rounded, shapeOf } from './parts';

/** What JTS does: cutting, joining, judging. It keeps the vertices that are there exactly as they are. */
const reader = new GeoJSONReader();
const writer = new GeoJSONWriter();

const read = (geometry: Editable): Geometry => reader.read(geometry);

const piecesOf = (geometry: Geometry): Geometry[] =>
  Array.from({ length: geometry.getNumGeometries() }, (_, index) => geometry.getGeometryN(index)).filter((piece) => !piece.isEmpty());

const key = (position: readonly number[]): string => `${position[0]},${position[1]}`;

/** Writes it, new vertices rounded as the server keeps them, outer rings counterclockwise as GeoJSON has them. */
function write(geometry: Geometry, known: ReadonlySet<string>): Editable | null {
  const written = writer.write(geometry);
  if (!isEditable(written)) return null;
  const isArea = shapeOf(written.type) === 'area';
  const parts = partsOf(written).map((part) =>
    part.map((ring, index) => {
      const positions = ring.map((position) => (known.has(key(position)) ? ([position[0], position[1]] as Position) : rounded(position)));
      if (!isArea) return positions;
      const counterclockwise = Orientation.isCCW(positions.map(([x, y]) => new Coordinate(x, y)));
      return counterclockwise === (index === 0) ? positions : positions.reverse();
    }),
  );
  return geometryOf(written.type, parts);
}

const placesOf = (...geometries: Editable[]): Set<string> =>
  new Set(geometries.flatMap((geometry) => partsOf(geometry).flatMap((part) => part.flatMap((ring) => ring.map(key)))));

function splitArea(part: Geometry, blade: Geometry): Geometry[] {
  const polygonizer = new Polygonizer();
  polygonizer.add(UnionOp.union(part.getBoundary(), blade));
  return polygonizer
    .getPolygons()
    .toArray()
    .filter((piece) => SimplePointInAreaLocator.locate(new InteriorPointArea(piece).getInteriorPoint(), part) === Location.INTERIOR);
}

function splitLine(part: Geometry, blade: Geometry): Geometry[] {
  const line = new LocationIndexedLine(part);
  const cuts = OverlayOp.intersection(part, blade)
    .getCoordinates()
    .map((coordinate) => line.indexOf(coordinate))
    .filter((location) => !location.isEndpoint(part))
    .sort((one, other) => one.compareTo(other));
  const ends = [line.getStartIndex(), ...cuts, line.getEndIndex()];
  return ends
    .slice(1)
    .map((end, index) => line.extractLine(ends[index]!, end))
    .filter((piece) => piece.getLength() > 0);
}

/**
 * Cuts along a line. The largest piece is the first: it remains what it was, with the parts that were not cut. Null
 * where the line does not go through.
 */
export function split(geometry: Editable, blade: readonly Position[]): Editable[] | null {
  const shape = shapeOf(geometry.type);
  if (shape === 'point' || blade.length < 2) return null;
  const cutter = geometryOf('LineString', [[blade]]);
  const known = placesOf(geometry, cutter);
  const knife = read(cutter);
  const size = (piece: Geometry): number => (shape === 'area' ? piece.getArea() : piece.getLength());
  const whole: Geometry[] = [];
  const pieces: Geometry[] = [];
  for (const part of piecesOf(read(geometry))) {
    const cut = shape === 'area' ? splitArea(part, knife) : splitLine(part, knife);
    if (cut.length > 1) pieces.push(...cut);
    else whole.push(part);
  }
  if (pieces.length === 0) return null;
  const [largest, ...others] = pieces.sort((one, other) => size(other) - size(one));
  const written = [largest!, ...others].flatMap((piece) => write(piece, known) ?? []);
  const kept = [...whole.flatMap((part) => write(part, known) ?? []), ...written.slice(0, 1)].flatMap(partsOf);
  return [geometryOf(geometry.type, kept), ...written.slice(1).map((piece) => geometryOf(geometry.type, partsOf(piece)))];
}

/** One of several of the same shape. Lines that meet at their ends become one line. */
export function merge(geometries: readonly Editable[]): Editable | null {
  const [first, ...others] = geometries;
  if (!first || others.some(({ type }) => shapeOf(type) !== shapeOf(first.type))) return null;
  const known = placesOf(...geometries);
  if (shapeOf(first.type) === 'line') {
    const merger = new LineMerger();
    for (const geometry of geometries) merger.add(read(geometry));
    const lines = merger.getMergedLineStrings().toArray().flatMap((line) => write(line, known) ?? []);
    return lines.length === 0 ? null : geometryOf(first.type, lines.flatMap(partsOf));
  }
  const joined = others.reduce((sum, geometry) => UnionOp.union(sum, read(geometry)), read(first));
  const written = write(joined, known);
  return written && geometryOf(first.type, partsOf(written));
}

/** Where a geometry is not well formed: it crosses or touches itself, say. */
export function fault(geometry: Editable): Position | null {
  if (shapeOf(geometry.type) === 'point') return null;
  const error = new IsValidOp(read(geometry)).getValidationError();
  if (!error) return null;
  const { x, y } = error.getCoordinate();
  return [x, y];
}
