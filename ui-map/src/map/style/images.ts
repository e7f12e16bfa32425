import { FORMS, HATCHES, type Form, type Hatch } from '../../catalogue/classes';

/** Paths of the marks in a box of 16 by 16, for canvases and for the legend's SVG alike. */
export const FORM_PATHS: Record<Form, string> = {
  circle: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z',
  square: 'M3 3h10v10H3z',
  triangle: 'M8 1.8l6.6 11.6H1.4z',
  diamond: 'M8 1l7 7l-7 7l-7-7z',
  pentagon: 'M8 1.4l6.6 4.8l-2.5 7.8H3.9L1.4 6.2z',
  wedge: 'M1.4 2.6h13.2L8 14.2z',
  bar: 'M1.2 5.2h13.6v5.6H1.2z',
  column: 'M5.2 1.2h5.6v13.6H5.2z',
  star: 'M8 .8l2.1 4.7 5.1.6-3.8 3.4 1.1 5L8 12l-4.5 2.5 1.1-5L.8 6.1l5.1-.6z',
  cross: 'M5.6 1.6h4.8v4h4v4.8h-4v4H5.6v-4h-4V5.6h4z',
};

/** Strokes of the hatches in a seamless box of 8 by 8. */
export const HATCH_PATHS: Record<Hatch, string> = {
  cross: 'M-1 9L9-1M-1-1L9 9M3 13L13 3M-5 5L5-5M3-5L13 5M-5 3L5 13',
  diagonal: 'M-1 9L9-1M3 13L13 3M-5 5L5-5',
  dots: 'M1.6 2h.8M5.6 6h.8',
  back: 'M-1-1L9 9M3-5L13 5M-5 3L5 13',
  horizontal: 'M0 2h8M0 6h8',
  vertical: 'M2 0v8M6 0v8',
  grid: 'M0 4h8M4 0v8',
  rows: 'M0 4h8',
  columns: 'M4 0v8',
};

/** Names of images that are drawn when MapLibre first asks for them: they say all that it takes. */
export const hatchImage = (hatch: Hatch | null, color: string): string => `hatch|${hatch ?? 'none'}|${color}`;
export const markImage = (form: Form, color: string, halo: string): string => `mark|${form}|${color}|${halo}`;

/** What the name of an image asks for; null where it is none of ours. */
export function parseImage(
  name: string,
):
  | { kind: 'hatch'; hatch: Hatch | null; color: string }
  | { kind: 'mark'; form: Form; color: string; halo: string }
  | null {
  const [kind, shape, color = '', halo = ''] = name.split('|');
  if (kind === 'hatch') return { kind, hatch: HATCHES.find((h) => h === shape) ?? null, color };
  const form = FORMS.find((f) => f === shape);
  return kind === 'mark' && form ? { kind, form, color, halo } : null;
}

/** Canvas pixels a CSS pixel: sharp on phones, cheap everywhere. */
export const IMAGE_RATIO = 2;

/** Draws an image; null where its name is none of ours or there is no canvas. */
export function drawImage(name: string): ImageData | null {
  const wanted = parseImage(name);
  if (!wanted) return null;
  const size = (wanted.kind === 'hatch' ? 8 : 20) * IMAGE_RATIO;
  const canvas = document.createElement('canvas');
  canvas.width = size;
  canvas.height = size;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return null;
  context.scale(IMAGE_RATIO, IMAGE_RATIO);
  if (wanted.kind === 'hatch') {
    if (wanted.hatch) {
      context.strokeStyle = wanted.color;
      context.lineWidth = wanted.hatch === 'dots' ? 2 : 1.1;
      context.stroke(new Path2D(HATCH_PATHS[wanted.hatch]));
    }
  } else {
    // The 16-box in the middle of 20: room for the halo.
    context.translate(2, 2);
    const path = new Path2D(FORM_PATHS[wanted.form]);
    context.lineJoin = 'round';
    context.strokeStyle = wanted.halo;
    context.lineWidth = 3;
    context.stroke(path);
    context.fillStyle = wanted.color;
    context.fill(path);
  }
  return context.getImageData(0, 0, size, size);
}
