import type { Editor } from '../editor.svelte';
import { type Editable, isEditable, type Position } from '../geometry/parts';
import { translate, vertices } from '../geometry/reshape';
import { distance, type Place, type Tool } from './tool';

/** Moves the chosen feature as a whole. Taken at a vertex, it is that vertex which others attract. */
export function move(editor: Editor): Tool {
  let base: { geometry: Editable; from: Position } | null = null;

  function take(place: Place): boolean {
    const geometry = editor.selected && !editor.selected.deleted ? editor.selected.geometry : null;
    if (!isEditable(geometry)) return false;
    const vertex = vertices(geometry).find(({ position }) => distance(position, place.at, place.scale) <= place.reach);
    base = { geometry, from: vertex?.position ?? place.at };
    return true;
  }

  const to = (place: Place): Editable | null => {
    if (!base) return null;
    const { position } = editor.snapped(place, true);
    return translate(base.geometry, position[0] - base.from[0], position[1] - base.from[1]);
  };

  function end(place: Place): void {
    const moved = to(place);
    if (moved) editor.reshape(moved, 'didMove');
    base = null;
    editor.held = null;
    editor.pointer = null;
  }

  return {
    press: (place) => editor.isAtSelected(place) && take(place),
    holds: (place) => editor.isAtSelected(place),
    drag: (place) => (editor.held = to(place)),
    release(place) {
      if (editor.held) end(place);
      base = null;
    },
    click: (place) => void editor.pickAt(place),
    tap(place) {
      if (base) end(place);
      else if (take(place)) editor.announce('didGrab');
      else void editor.pickAt(place);
    },
    cancel() {
      const wasHeld = base !== null;
      base = null;
      editor.held = null;
      return wasHeld;
    },
  };
}
