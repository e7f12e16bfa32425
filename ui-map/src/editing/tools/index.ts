import type { Editor } from '../editor.svelte';
import { adjust } from './adjust';
import { move } from './move';
import { sketch } from './sketch';
import type { Tool } from './tool';

export type ToolName = 'edit' | 'move' | 'drawPoint' | 'drawLine' | 'drawArea' | 'split' | 'merge';

export function toolOf(editor: Editor, name: ToolName): Tool {
  switch (name) {
    case 'edit':
      return adjust(editor);
    case 'move':
      return move(editor);
    case 'drawPoint':
      return sketch(editor, 'point', () => editor.finishSketch());
    case 'drawLine':
      return sketch(editor, 'line', () => editor.finishSketch());
    case 'drawArea':
      return sketch(editor, 'area', () => editor.finishSketch());
    case 'split':
      return sketch(editor, 'line', () => editor.finishSketch());
    case 'merge':
      return { click: (place) => void editor.pickAt(place), tap: (place) => void editor.pickAt(place) };
  }
}
