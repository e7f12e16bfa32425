import type { GeoJSONSource, Map as MapLibreMap, MapMouseEvent, MapTouchEvent, PointLike } from 'maplibre-gl';

import type { FeatureId } from '../api/types';
import { METRES_A_DEGREE } from '../catalogue/geometry';
import type { Drawing, MapController } from '../map/controller';
import type { Theme } from '../map/style/palette';
import { getAround } from './api';
import type { Editor, Picker } from './editor.svelte';
import { scaleAt } from './geometry/snap';
import { drawing, type Painted, PIECE_LAYERS, put } from './painting';
import type { Place } from './tools/tool';

export const DRAWING = 'editing';
const POINTER_PX = 10;
const FINGER_PX = 22;

/** The map in the editor's hands: pointer and keyboard become what tools do, the draft becomes a drawing. */
export class Surface implements Picker {
  readonly #controller: MapController;
  readonly #editor: Editor;
  readonly #map: MapLibreMap;
  readonly #giveBack: () => void;
  #drawing: Drawing | null = null;
  #pressed = false;
  /** The click that a press ends with is no click. */
  #swallow = false;
  #last: Place | null = null;
  #touched = false;
  #frame = 0;
  #content: { shapes: Painted[]; handles: Painted[] } = { shapes: [], handles: [] };

  constructor(controller: MapController, editor: Editor) {
    this.#controller = controller;
    this.#editor = editor;
    const { map, giveBack } = controller.lend({ tapAtCentre: () => this.#tap() });
    this.#map = map;
    this.#giveBack = giveBack;
    map.on('mousedown', this.#press);
    map.on('touchstart', this.#press);
    map.on('mousemove', this.#move);
    map.on('touchmove', this.#move);
    map.on('mouseup', this.#release);
    map.on('touchend', this.#release);
    map.on('touchcancel', this.#release);
    map.on('click', this.#click);
    map.on('mouseout', this.#left);
    map.getCanvas().addEventListener('pointerdown', this.#notePointer, { capture: true });
    // A drag may end beside the map.
    addEventListener('mouseup', this.#outside);
    editor.picker = this;
  }

  end(): void {
    const map = this.#map;
    cancelAnimationFrame(this.#frame);
    removeEventListener('mouseup', this.#outside);
    map.getCanvas().removeEventListener('pointerdown', this.#notePointer, { capture: true });
    map.off('mousedown', this.#press);
    map.off('touchstart', this.#press);
    map.off('mousemove', this.#move);
    map.off('touchmove', this.#move);
    map.off('mouseup', this.#release);
    map.off('touchend', this.#release);
    map.off('touchcancel', this.#release);
    map.off('click', this.#click);
    map.off('mouseout', this.#left);
    map.getCanvas().style.cursor = 'crosshair';
    this.#editor.picker = null;
    this.#giveBack();
    this.#controller.lay(DRAWING, null);
  }

  /** Lays the drawing in a theme's colours. */
  lay(theme: Theme): void {
    this.#drawing = drawing(theme, DRAWING);
    put(this.#drawing, DRAWING, this.#content, () => undefined);
    this.#controller.lay(DRAWING, this.#drawing);
  }

  /** Shows it with the next picture: a pointer moves oftener than the screen does. */
  show(content: { shapes: Painted[]; handles: Painted[] }): void {
    this.#content = content;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      if (!this.#drawing) return;
      put(this.#drawing, DRAWING, this.#content, (source, data) => this.#map.getSource<GeoJSONSource>(source)?.setData(data));
    });
  }

  #placeOf(event: MapMouseEvent | MapTouchEvent): Place {
    const { lng, lat } = event.lngLat;
    const isTouch = 'touches' in event.originalEvent;
    return {
      at: [lng, lat],
      scale: scaleAt(lat, this.#map.getZoom()),
      reach: isTouch ? FINGER_PX : POINTER_PX,
      free: event.originalEvent.altKey,
    };
  }

  readonly #notePointer = (event: PointerEvent): void => {
    this.#touched = event.pointerType === 'touch';
  };

  /** After a touch browsers tell of a mouse too, for pages that know no touch. */
  #isEcho = (event: MapMouseEvent | MapTouchEvent): boolean => this.#touched && !('touches' in event.originalEvent);

  #tap(): void {
    const { lng, lat } = this.#map.getCenter();
    this.#editor.tool.tap?.({ at: [lng, lat], scale: scaleAt(lat, this.#map.getZoom()), reach: FINGER_PX, free: false });
  }

  readonly #press = (event: MapMouseEvent | MapTouchEvent): void => {
    if (this.#isEcho(event)) return;
    // The second finger zooms; what was taken stays where it was.
    if ('points' in event && event.points.length > 1) {
      if (this.#pressed) this.#editor.tool.cancel?.();
      this.#pressed = false;
      return;
    }
    if ('button' in event.originalEvent && event.originalEvent.button !== 0) return;
    this.#swallow = false;
    this.#last = this.#placeOf(event);
    this.#pressed = this.#editor.tool.press?.(this.#last) ?? false;
    if (this.#pressed) event.preventDefault();
  };

  readonly #move = (event: MapMouseEvent | MapTouchEvent): void => {
    if (this.#isEcho(event)) return;
    const place = this.#placeOf(event);
    this.#last = place;
    if (this.#pressed) this.#editor.tool.drag?.(place);
    else if (event.type === 'mousemove') {
      this.#editor.tool.hover?.(place);
      this.#map.getCanvas().style.cursor = this.#editor.tool.holds?.(place) ? 'move' : 'crosshair';
    }
  };

  readonly #left = (): void => {
    if (!this.#pressed) this.#editor.pointer = null;
  };

  readonly #release = (event: MapMouseEvent | MapTouchEvent): void => {
    if (!this.#pressed || this.#isEcho(event)) return;
    // A finger that is gone is nowhere: where it was last counts.
    this.#let(event.type === 'mouseup' ? this.#placeOf(event) : this.#last);
  };

  readonly #outside = (event: MouseEvent): void => {
    if (this.#pressed && !this.#map.getCanvasContainer().contains(event.target as Node)) this.#let(this.#last);
  };

  #let(place: Place | null): void {
    this.#pressed = false;
    this.#swallow = true;
    if (place) this.#editor.tool.release?.(place);
  }

  readonly #click = (event: MapMouseEvent): void => {
    if (this.#swallow) {
      this.#swallow = false;
      return;
    }
    const place = this.#placeOf(event);
    // The browser makes a click of a touch, which is as wide as the finger was.
    this.#editor.tool.click?.({ ...place, reach: this.#last?.reach ?? place.reach });
  };

  #boxAround({ at, reach }: Place): [PointLike, PointLike] {
    const { x, y } = this.#map.project(at);
    const half = reach / 2;
    return [[x - half, y - half], [x + half, y + half]];
  }

  pieceAt(place: Place): string | null {
    const layers = PIECE_LAYERS.filter((id) => this.#map.getLayer(id));
    for (const area of [this.#map.project(place.at), this.#boxAround(place)]) {
      const found = this.#map.queryRenderedFeatures(area as PointLike, { layers }).find(({ properties }) => properties.key);
      if (found) return String(found.properties.key);
    }
    return null;
  }

  async featureAt(place: Place): Promise<FeatureId | null> {
    const { id } = this.#editor.collection;
    for (const area of [this.#map.project(place.at), this.#boxAround(place)]) {
      const drawn = this.#map.queryRenderedFeatures(area as PointLike).find((found) => found.source === id && found.id !== undefined);
      if (drawn?.id !== undefined) return drawn.id;
    }
    // Ids that are no numbers are not in tiles.
    const [lon, lat] = place.at;
    const margin = Math.max(place.reach / 2 / place.scale.north, 0.1 / METRES_A_DEGREE);
    const items = await getAround(id, [lon - margin, lat - margin, lon + margin, lat + margin], 1, new AbortController().signal).catch(() => null);
    return items?.features[0]?.id ?? null;
  }
}
