import { boundsOfView } from '../catalogue/geometry';
import type { Editor } from './editor.svelte';
import { GEOMETRY } from './conflict';
import type { Piece } from './draft';
import { type Editable, isEditable, type Position, shapeOf } from './geometry/parts';
import { drawn, middles, vertices } from './geometry/reshape';
import { painted, type Painted, paintedPoint, type Role } from './painting';

/** More handles than this are only a blur. */
const MOST_HANDLES = 1500;

/** The pieces that we draw, and the tiles must not. */
export const shownPieces = (editor: Editor): Piece[] => {
  const changed = new Set(editor.changed.map(({ key }) => key));
  return [...editor.draft.values()].filter(({ key }) => changed.has(key) || key === editor.selected?.key || editor.picked.includes(key));
};

function roleOf(editor: Editor, piece: Piece): Role {
  if (piece.deleted) return 'gone';
  if (editor.toolName === 'merge') return editor.picked.includes(piece.key) ? 'picked' : 'changed';
  return piece.key === editor.selected?.key ? 'chosen' : 'changed';
}

/** The handles of what is in view; none where they would be too many. */
function handlesOf(editor: Editor, geometry: Editable): Painted[] {
  const { view } = editor.app;
  if (!view || shapeOf(geometry.type) === 'point') return [];
  const [west, south, east, north] = boundsOfView(view.lon, view.lat, view.zoom, innerWidth * 1.5, innerHeight * 1.5);
  const isShown = ({ position: [lon, lat] }: { position: Position }): boolean => lon >= west && lon <= east && lat >= south && lat <= north;
  const corners = vertices(geometry).filter(isShown);
  if (corners.length > MOST_HANDLES) return [];
  const { grabbed } = editor;
  const isGrabbed = (at: { part: number; ring: number; index: number }): boolean =>
    grabbed !== null && at.part === grabbed.part && at.ring === grabbed.ring && at.index === grabbed.index;
  return [
    ...middles(geometry).filter(isShown).map(({ position }) => paintedPoint('middle', position)),
    ...corners.map(({ at, position }) => paintedPoint(isGrabbed(at) ? 'grabbed' : 'vertex', position)),
  ];
}

function sketchOf(editor: Editor): Painted[] {
  const { sketch, pointer } = editor;
  if (sketch.length === 0) return [];
  const positions = pointer ? [...sketch, pointer.position] : [...sketch];
  if (editor.toolName === 'drawArea') {
    const area = drawn('Polygon', positions);
    if (area) return [painted('sketch', area)];
  }
  const line = drawn('LineString', positions);
  return line ? [painted('sketch', line)] : [];
}

/** All that editing draws, as the editor stands. */
export function pictureOf(editor: Editor): { shapes: Painted[]; handles: Painted[] } {
  const { clash, echo, faults } = editor.saving;
  if (clash) {
    const sides = [['theirs', clash.theirs?.geometry], ['mine', clash.piece.deleted ? null : clash.piece.geometry]] as const;
    return { shapes: sides.flatMap(([role, geometry]) => (geometry ? [painted(role, geometry, GEOMETRY)] : [])), handles: [] };
  }
  const { selected, held } = editor;
  const own = shownPieces(editor);
  const drawnHere = new Set(own.map(({ origin }) => origin?.id));
  const shapes = [
    ...echo.filter(({ deleted, origin }) => !deleted && !(origin && drawnHere.has(origin.id))).flatMap(({ geometry }) => (geometry ? [painted('changed', geometry)] : [])),
    ...own.flatMap((piece) => {
      const geometry = piece.key === selected?.key && held ? held : piece.geometry;
      return geometry ? [painted(roleOf(editor, piece), geometry, piece.key)] : [];
    }),
    ...sketchOf(editor),
  ];
  const handles = [...editor.sketch.map((position) => paintedPoint('vertex', position))];
  const shown = held ?? selected?.geometry ?? null;
  if (editor.toolName === 'edit' && selected && !selected.deleted && isEditable(shown)) handles.push(...handlesOf(editor, shown));
  if (editor.pointer?.snap) handles.push(paintedPoint(`snap-${editor.pointer.snap.kind}`, editor.pointer.position));
  for (const { position } of faults) if (position) handles.push(paintedPoint('fault', position));
  return { shapes, handles };
}
