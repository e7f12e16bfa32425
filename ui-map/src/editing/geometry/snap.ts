import type { Bounds } from '../../api/types';
import { boundsOfFeatures } from '../../catalogue/geometry';
import { type Editable, isEditable, partsOf, type Position, rounded } from './parts';

/** A place that others have already: a vertex (exactly as it is) or a point of an edge. */
export interface Snap {
  kind: 'vertex' | 'edge';
  position: Position;
}

/** CSS pixels of a degree, to the east and to the north: near enough of the pointer a plane. */
export interface Scale {
  east: number;
  north: number;
}

/** The scale at a latitude and zoom (tiles of 512, as MapLibre counts zooms). */
export function scaleAt(lat: number, zoom: number): Scale {
  const east = (512 * 2 ** zoom) / 360;
  return { east, north: east / Math.cos((lat * Math.PI) / 180) };
}

interface Line {
  bounds: Bounds;
  positions: readonly Position[];
}

/** The vertices and edges around, which new vertices may take over. */
export class Surroundings {
  readonly #lines: Line[];

  constructor(geometries: readonly (GeoJSON.Geometry | null)[]) {
    this.#lines = geometries.filter(isEditable).flatMap((geometry: Editable) =>
      partsOf(geometry).flatMap((part) =>
        part.flatMap((positions) => {
          const bounds = boundsOfFeatures([{ type: 'Feature', properties: null, geometry: { type: 'MultiPoint', coordinates: positions as Position[] } }]);
          return bounds ? [{ bounds, positions }] : [];
        }),
      ),
    );
  }

  /** The nearest vertex within so many pixels; else the nearest point of an edge. */
  nearest([lon, lat]: Position, scale: Scale, pixels: number): Snap | null {
    const [reachEast, reachNorth] = [pixels / scale.east, pixels / scale.north];
    let vertex: { distance: number; position: Position } | null = null;
    let edge: { distance: number; position: Position } | null = null;
    for (const { bounds, positions } of this.#lines) {
      if (bounds[0] > lon + reachEast || bounds[2] < lon - reachEast || bounds[1] > lat + reachNorth || bounds[3] < lat - reachNorth) continue;
      for (let index = 0; index < positions.length; index += 1) {
        const here = positions[index]!;
        const [x, y] = [(here[0] - lon) * scale.east, (here[1] - lat) * scale.north];
        const distance = Math.hypot(x, y);
        if (distance <= pixels && distance < (vertex?.distance ?? Infinity)) vertex = { distance, position: [here[0], here[1]] };
        const next = positions[index + 1];
        if (!next) continue;
        const [dx, dy] = [(next[0] - here[0]) * scale.east, (next[1] - here[1]) * scale.north];
        const length = dx * dx + dy * dy;
        if (length === 0) continue;
        const along = Math.max(0, Math.min(1, -(x * dx + y * dy) / length));
        const off = Math.hypot(x + along * dx, y + along * dy);
        if (off <= pixels && off < (edge?.distance ?? Infinity)) {
          edge = { distance: off, position: rounded([here[0] + along * (next[0] - here[0]), here[1] + along * (next[1] - here[1])]) };
        }
      }
    }
    if (vertex) return { kind: 'vertex', position: vertex.position };
    return edge && { kind: 'edge', position: edge.position };
  }
}
