import type { CollectionChange } from '../api/changes';
import type { Bounds } from '../api/types';
import { mercatorY } from '../catalogue/geometry';
import { isGeneralised, type TilePlace } from './tiles';

/** What a tile shows around itself, as a part of its side: for points, of which it is most. */
const BUFFER = 1 / 16;

/** Whether a tile, with what it shows around itself, meets one of the boxes. */
export function meets({ z, x, y }: TilePlace, boxes: Bounds[]): boolean {
  const side = 2 ** z;
  return boxes.some(([west, south, east, north]) => {
    const [left, right] = [((west + 180) / 360) * side, ((east + 180) / 360) * side];
    const [top, bottom] = [mercatorY(north) * side, mercatorY(south) * side];
    return left <= x + 1 + BUFFER && right >= x - BUFFER && top <= y + 1 + BUFFER && bottom >= y - BUFFER;
  });
}

/** The tile that is fetched for one that lies deeper than the source goes. */
export const fetchedFor = ({ z, x, y }: TilePlace, deepest: number): TilePlace =>
  z <= deepest ? { z, x, y } : { z: deepest, x: x >> (z - deepest), y: y >> (z - deepest) };

/** Whether a change of its collection shows in the tile. */
export const touches = (change: CollectionChange, place: TilePlace, deepest: number): boolean =>
  meets(place, change.features) ||
  // These follow the features: a tile that shows the features as they are has changed already.
  (change.generalised.length > 0 && isGeneralised(change.id, fetchedFor(place, deepest)) && meets(place, change.generalised));
