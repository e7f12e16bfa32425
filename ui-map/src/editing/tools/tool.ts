import type { Position } from '../geometry/parts';
import type { Scale, Snap } from '../geometry/snap';

/** A place of the map that somebody points at. */
export interface Place {
  /** Where exactly. */
  at: Position;
  /** How many pixels a degree has there. */
  scale: Scale;
  /** How near is meant, in CSS pixels: a finger is wider than a pointer. */
  reach: number;
  /** Nothing attracts. */
  free: boolean;
}

/** What the pointer does while a tool is chosen. */
export interface Tool {
  /** Takes hold of something: the map is not dragged then. */
  press?: (place: Place) => boolean;
  /** Whether a press would. */
  holds?: (place: Place) => boolean;
  drag?: (place: Place) => void;
  /** Lets go of what was taken hold of. */
  release?: (place: Place) => void;
  click?: (place: Place) => void;
  /** The second click of a double one comes before. */
  finish?: () => void;
  hover?: (place: Place) => void;
  /** The keyboard's click at the map's centre. */
  tap?: (place: Place) => void;
  /** Escape. Whether there was something to give up. */
  cancel?: () => boolean;
  removeLast?: () => boolean;
}

export interface Pointer {
  position: Position;
  snap: Snap | null;
}

/** How many pixels lie between two positions. */
export const distance = (one: readonly number[], other: readonly number[], scale: Scale): number =>
  Math.hypot((one[0]! - other[0]!) * scale.east, (one[1]! - other[1]!) * scale.north);
