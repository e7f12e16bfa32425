import type { GeoJSONSourceSpecification, LayerSpecification, Map as MapLibreMap, MapMouseEvent, PaddingOptions, StyleSpecification } from 'maplibre-gl';
import { addProtocol } from 'maplibre-gl/src/source/protocol_crud.ts';
import { ScaleControl } from 'maplibre-gl/src/ui/control/scale_control.ts';
import { Map } from 'maplibre-gl/src/ui/map.ts';

import type { CollectionChange } from '../api/changes';
import type { Bounds } from '../api/types';
import { metresAPixel } from '../catalogue/geometry';
import { drawImage, IMAGE_RATIO } from './style/images';
import { loadTile, outdate, TILE_SCHEME, type TilePlace } from './tiles';
import { touches } from './touched';

export interface View {
  lon: number;
  lat: number;
  zoom: number;
}

/** What the map tells the application. */
export interface MapEvents {
  moved: (view: View, bounds: Bounds) => void;
  /** Somebody asked what is at a point, with the tolerance in metres that a finger or a pointer needs. */
  asked: (lon: number, lat: number, tolerance: number) => void;
  /** The first picture is complete. */
  drawn: () => void;
  tilesFailed: () => void;
}

/** What is drawn on top of all, whatever the style becomes. Its sources hold what they show at the moment. */
export interface Drawing {
  sources: Record<string, GeoJSONSourceSpecification>;
  layers: LayerSpecification[];
}

/** What has the map for itself for a while: a click is then no question. */
export interface Borrower {
  /** The keyboard's click, and that of the button for it. */
  tapAtCentre: () => void;
}

export interface MapLabels {
  map: string;
  help: string;
}

const POINTER_PX = 8;
const FINGER_PX = 16;
/** What is shown is not cut at the edge. */
const MARGIN_PX = 48;

/**
 * The one place that knows MapLibre: the rest of the application speaks of views, boxes and styles. Only who borrows the
 * map, to edit on it, sees it too.
 */
export class MapController {
  readonly #map: MapLibreMap;
  readonly #events: MapEvents;
  readonly #still: boolean;
  #drawn = false;
  #touched = false;
  /** What the panels cover. A movement ends the one before it, so that each takes it along. */
  #padding: PaddingOptions = { top: 0, right: 0, bottom: 0, left: 0 };
  #style: StyleSpecification | null = null;
  readonly #drawings = new globalThis.Map<string, Drawing>();
  #borrower: Borrower | null = null;

  constructor(container: HTMLElement, view: View, labels: MapLabels, events: MapEvents) {
    this.#events = events;
    addProtocol(TILE_SCHEME, loadTile);
    this.#still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#map = new Map({
      container,
      center: [view.lon, view.lat],
      zoom: view.zoom,
      minZoom: 4,
      maxZoom: 20,
      // A city's map: north is up, the ground is flat, the world is not repeated.
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      attributionControl: false,
      fadeDuration: this.#still ? 0 : 200,
      validateStyle: false,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.keyboard.disableRotation();
    this.#map.addControl(new ScaleControl({ maxWidth: 110 }), 'bottom-right');
    this.#map.setMissingStyleImageResolver((name) => {
      const image = drawImage(name);
      if (image && !this.#map.hasImage(name)) this.#map.addImage(name, image, { pixelRatio: IMAGE_RATIO });
    });
    this.label(labels);
    this.#listen(events);
  }

  #listen(events: MapEvents): void {
    const map = this.#map;
    const tell = () => {
      const { lng, lat } = map.getCenter();
      const bounds = map.getBounds();
      events.moved({ lon: lng, lat, zoom: map.getZoom() }, [
        bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth(),
      ]);
    };
    map.on('moveend', tell);
    map.on('resize', tell);
    map.once('load', () => {
      this.#drawn = true;
      events.drawn();
      tell();
    });
    map.on('error', (event) => {
      // A tile (or source) that failed; what is not of a source is a fault of ours and must be seen.
      if ('sourceId' in event || 'tile' in event) events.tilesFailed();
      else console.error(event.error);
    });
    map.getCanvas().addEventListener('pointerdown', (event) => {
      this.#touched = event.pointerType === 'touch';
    });
    map.on('click', (event: MapMouseEvent) => {
      if (this.#borrower) return;
      events.asked(event.lngLat.lng, event.lngLat.lat, this.#tolerance(this.#touched ? FINGER_PX : POINTER_PX));
    });
    map.getCanvas().addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      this.askAtCentre();
    });
    map.getCanvas().style.cursor = 'crosshair';
  }

  #tolerance(pixels: number): number {
    return pixels * metresAPixel(this.#map.getCenter().lat, this.#map.getZoom());
  }

  get #motion(): { animate: boolean; duration?: number } {
    return this.#still ? { animate: false } : { animate: true, duration: 600 };
  }

  /** Draws a style; MapLibre changes only what differs from the last. */
  draw(style: StyleSpecification): void {
    this.#style = style;
    const drawings = [...this.#drawings.values()];
    const whole = {
      ...style,
      sources: Object.assign({}, style.sources, ...drawings.map(({ sources }) => sources)),
      layers: [...style.layers, ...drawings.flatMap(({ layers }) => layers)],
    };
    this.#map.setStyle(whole, { diff: true, validate: false });
  }

  /** Draws something on top under a name, or no more. */
  lay(name: string, drawing: Drawing | null): void {
    if (drawing) this.#drawings.set(name, drawing);
    else this.#drawings.delete(name);
    if (this.#style) this.draw(this.#style);
  }

  /** Gives the map into other hands until `giveBack`. */
  lend(borrower: Borrower): { map: MapLibreMap; giveBack: () => void } {
    const map = this.#map;
    this.#borrower = borrower;
    map.doubleClickZoom.disable();
    map.boxZoom.disable();
    const giveBack = () => {
      this.#borrower = null;
      map.doubleClickZoom.enable();
      map.boxZoom.enable();
    };
    return { map, giveBack };
  }

  /** The map itself, for what only looks at it. */
  get shown(): MapLibreMap {
    return this.#map;
  }

  label(labels: MapLabels): void {
    const canvas = this.#map.getCanvas();
    canvas.setAttribute('aria-label', `${labels.map}. ${labels.help}`);
  }

  /** Keeps what lies under the panels out of the map's centre. */
  pad(padding: { left: number; bottom: number }): void {
    if (this.#padding.left === padding.left && this.#padding.bottom === padding.bottom) return;
    this.#padding = { top: 0, right: 0, ...padding };
    // Before the first picture there is nothing that could be seen moving.
    if (this.#drawn) this.#map.easeTo({ padding: this.#padding, ...this.#motion });
    else this.#map.setPadding(this.#padding);
  }

  goTo(view: View): void {
    this.#map.easeTo({ center: [view.lon, view.lat], zoom: view.zoom, padding: this.#padding, ...this.#motion });
  }

  show(bounds: Bounds, maxZoom: number): void {
    const [west, south, east, north] = bounds;
    const { top = 0, right = 0, bottom = 0, left = 0 } = this.#padding;
    const around = { top: top + MARGIN_PX, right: right + MARGIN_PX, bottom: bottom + MARGIN_PX, left: left + MARGIN_PX };
    const camera = this.#map.cameraForBounds([[west, south], [east, north]], { padding: around, absolutePadding: true, maxZoom });
    if (camera) this.#map.flyTo({ ...camera, padding: this.#padding, ...this.#motion });
  }

  zoomBy(steps: number): void {
    this.#map.easeTo({ zoom: Math.round(this.#map.getZoom() * 2) / 2 + steps, ...this.#motion });
  }

  askAtCentre(): void {
    if (this.#borrower) {
      this.#borrower.tapAtCentre();
      return;
    }
    const { lng, lat } = this.#map.getCenter();
    this.#events.asked(lng, lat, this.#tolerance(FINGER_PX));
  }

  /** Asks again for the tiles in which changes show, and for no others. */
  refresh(changes: CollectionChange[]): void {
    for (const change of changes) {
      const source = this.#map.style.tileManagers[change.id];
      if (!source) continue;
      const deepest = source.getSource().maxzoom;
      const isTouched = (place: TilePlace) => touches(change, place, deepest);
      outdate(change.id, isTouched);
      // Those that are kept for when they come into view again.
      source._outOfViewCache.filter((tile) => !isTouched(tile.tileID.canonical));
      const shown = source.getIds().flatMap((id) => source.getTileByID(id)?.tileID.canonical ?? []);
      const touched = shown.filter(isTouched);
      if (touched.length > 0) this.#map.refreshTiles(change.id, touched);
    }
  }

  /** Asks again for all tiles: the server answers that it is the same for those that are. */
  refreshAll(): void {
    for (const [id, source] of Object.entries(this.#map.getStyle().sources)) {
      if (source.type !== 'vector') continue;
      outdate(id, () => true);
      this.#map.refreshTiles(id);
    }
  }

  remove(): void {
    this.#map.remove();
  }
}
