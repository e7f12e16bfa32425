/**
 * Of JSTS (the JTS Topology Suite in JavaScript) what is used here. The types that its package publishes are of another
 * layout of its modules.
 */
declare module 'jsts/org/locationtech/jts/algorithm/InteriorPointArea.js' {
  import type Coordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class InteriorPointArea {
    constructor(area: Geometry);
    getInteriorPoint(): Coordinate;
  }
}
declare module 'jsts/org/locationtech/jts/algorithm/Orientation.js' {
  import type Coordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
  export default class Orientation {
    static isCCW(ring: Coordinate[]): boolean;
  }
}
declare module 'jsts/org/locationtech/jts/algorithm/locate/SimplePointInAreaLocator.js' {
  import type Coordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class SimplePointInAreaLocator {
    static locate(point: Coordinate, area: Geometry): number;
  }
}
declare module 'jsts/org/locationtech/jts/geom/Location.js' {
  export default class Location {
    static readonly INTERIOR: number;
  }
}
declare module 'jsts/org/locationtech/jts/geom/Coordinate.js' {
  export default class Coordinate {
    constructor(x: number, y: number);
    x: number;
    y: number;
  }
}
declare module 'jsts/org/locationtech/jts/geom/Geometry.js' {
  import type Coordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
  export default interface Geometry {
    getCoordinates(): Coordinate[];
    getArea(): number;
    getLength(): number;
    isEmpty(): boolean;
    getNumGeometries(): number;
    getGeometryN(index: number): Geometry;
    getBoundary(): Geometry;
  }
}
declare module 'jsts/org/locationtech/jts/io/GeoJSONReader.js' {
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class GeoJSONReader {
    read(geometry: GeoJSON.Geometry): Geometry;
  }
}
declare module 'jsts/org/locationtech/jts/io/GeoJSONWriter.js' {
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class GeoJSONWriter {
    write(geometry: Geometry): GeoJSON.Geometry;
  }
}
declare module 'jsts/org/locationtech/jts/linearref/LocationIndexedLine.js' {
  import type Coordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export interface LinearLocation {
    compareTo(other: LinearLocation): number;
    isEndpoint(line: Geometry): boolean;
  }
  export default class LocationIndexedLine {
    constructor(line: Geometry);
    indexOf(coordinate: Coordinate): LinearLocation;
    getStartIndex(): LinearLocation;
    getEndIndex(): LinearLocation;
    extractLine(from: LinearLocation, to: LinearLocation): Geometry;
  }
}
declare module 'jsts/org/locationtech/jts/operation/linemerge/LineMerger.js' {
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class LineMerger {
    add(geometry: Geometry): void;
    getMergedLineStrings(): { toArray(): Geometry[] };
  }
}
declare module 'jsts/org/locationtech/jts/operation/overlay/OverlayOp.js' {
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class OverlayOp {
    static intersection(one: Geometry, other: Geometry): Geometry;
  }
}
declare module 'jsts/org/locationtech/jts/operation/polygonize/Polygonizer.js' {
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class Polygonizer {
    add(geometry: Geometry): void;
    getPolygons(): { toArray(): Geometry[] };
  }
}
declare module 'jsts/org/locationtech/jts/operation/union/UnionOp.js' {
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class UnionOp {
    static union(one: Geometry, other: Geometry): Geometry;
  }
}
declare module 'jsts/org/locationtech/jts/operation/valid/IsValidOp.js' {
  import type Coordinate from 'jsts/org/locationtech/jts/geom/Coordinate.js';
  import type Geometry from 'jsts/org/locationtech/jts/geom/Geometry.js';
  export default class IsValidOp {
    constructor(geometry: Geometry);
    getValidationError(): { getCoordinate(): Coordinate; getMessage(): string } | null;
  }
}
