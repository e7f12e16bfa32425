import type { Editor } from '../editor.svelte';
import { type Editable, isEditable, type Position, shapeOf, type VertexAt } from '../geometry/parts';
import { type Handle, insertVertex, middles, moveVertex, positionAt, vertices } from '../geometry/reshape';
import { distance, type Place, type Tool } from './tool';

function nearest(handles: Handle[], { at, scale, reach }: Place): Handle | null {
  let found: { handle: Handle; off: number } | null = null;
  for (const handle of handles) {
    const off = distance(handle.position, at, scale);
    if (off <= reach && off < (found?.off ?? Infinity)) found = { handle, off };
  }
  return found?.handle ?? null;
}

/** Chooses features, and moves, adds and takes away the vertices of the chosen one. */
export function adjust(editor: Editor): Tool {
  let base: { geometry: Editable; at: VertexAt; inserted: boolean } | null = null;

  /** What there is to take hold of: a vertex, or the middle of an edge, where one comes. */
  function holdAt(place: Place): typeof base {
    const geometry = editor.selected && !editor.selected.deleted ? editor.selected.geometry : null;
    if (!isEditable(geometry)) return null;
    const vertex = nearest(vertices(geometry), place);
    if (vertex) return { geometry, at: vertex.at, inserted: false };
    const middle = shapeOf(geometry.type) === 'point' ? null : nearest(middles(geometry), place);
    if (!middle) return null;
    const at = { ...middle.at, index: middle.at.index + 1 };
    return { geometry: insertVertex(geometry, middle.at, middle.position), at, inserted: true };
  }

  const put = (held: NonNullable<typeof base>, to: Position) => {
    const moved = moveVertex(held.geometry, held.at, to);
    const isPoint = shapeOf(moved.type) === 'point';
    editor.reshape(moved, held.inserted ? 'didInsert' : isPoint ? 'didMove' : 'didReshape');
  };

  return {
    press(place) {
      base = holdAt(place);
      return base !== null;
    },
    holds: (place) => holdAt(place) !== null,
    drag(place) {
      if (!base) return;
      const { position } = editor.snapped(place, true);
      editor.held = moveVertex(base.geometry, base.at, position);
    },
    release(place) {
      if (base && editor.held) put(base, editor.snapped(place, true).position);
      // Only pressed: it is taken, to be removed or to be moved by the keyboard.
      else if (base && !base.inserted) editor.grabbed = base.at;
      editor.held = null;
      editor.pointer = null;
      base = null;
    },
    click: (place) => void editor.pickAt(place),
    tap(place) {
      const geometry = editor.selected?.geometry;
      if (editor.grabbed && isEditable(geometry) && positionAt(geometry, editor.grabbed)) {
        put({ geometry, at: editor.grabbed, inserted: false }, editor.snapped(place, true).position);
        editor.grabbed = null;
        return;
      }
      const held = holdAt(place);
      if (!held) {
        void editor.pickAt(place);
        return;
      }
      if (held.inserted) editor.reshape(held.geometry, 'didInsert');
      editor.grabbed = held.at;
      editor.announce('didGrab');
    },
    cancel() {
      if (!editor.grabbed && !base) return false;
      base = null;
      editor.held = null;
      if (editor.grabbed) editor.announce('didRelease');
      editor.grabbed = null;
      return true;
    },
  };
}
