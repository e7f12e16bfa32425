import type { Editor } from '../editor.svelte';
import type { Shape } from '../geometry/parts';
import { distance, type Place, type Tool } from './tool';

/**
 * Draws vertex by vertex: a new feature, or the line that cuts one. `shape` is what is drawn, `done` takes it when it
 * is finished.
 */
export function sketch(editor: Editor, shape: Shape, done: () => void): Tool {
  function add(place: Place): void {
    const drawn = editor.sketch;
    const meets = (index: number): boolean => {
      const vertex = drawn.at(index);
      return vertex !== undefined && distance(vertex, place.at, place.scale) <= place.reach;
    };
    if (shape === 'area' && drawn.length >= 3 && meets(0)) {
      done();
      return;
    }
    // The same place once more ends a line.
    if (drawn.length > 0 && meets(-1)) {
      if (shape !== 'point' && drawn.length >= 2) done();
      return;
    }
    editor.sketch = [...drawn, editor.snapped(place, false).position];
    if (shape === 'point') done();
    else editor.announce('didVertex', { count: editor.sketch.length });
  }

  return {
    hover: (place) => void editor.snapped(place, false),
    click: add,
    tap: add,
    cancel() {
      const wasDrawn = editor.sketch.length > 0;
      editor.sketch = [];
      return wasDrawn;
    },
    removeLast() {
      const wasDrawn = editor.sketch.length > 0;
      editor.sketch = editor.sketch.slice(0, -1);
      return wasDrawn;
    },
  };
}
