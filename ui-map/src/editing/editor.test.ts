import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { CollectionChange } from '../api/changes';
import type { Collection, Feature } from '../api/types';
import { sampleCollection } from '../catalogue/samples';
import type { App } from '../state/app.svelte';
import { Editor } from './editor.svelte';
import { partsOf } from './geometry/parts';
import { scaleAt } from './geometry/snap';
import type { Place } from './tools/tool';

const square = (west: number): GeoJSON.Polygon => ({
  type: 'Polygon',
  coordinates: [[[west, 4.4], [west + 0.001, 4.4], [west + 0.001, 4.401], [west, 4.401], [west, 4.4]]],
});
const lot = (id: number, west: number): Feature => ({ type: 'Feature', id, geometry: square(west), properties: { nombre: `Lote ${id}` } });
const [A, B] = [lot(1, -75.2), lot(2, -75.1987)];

const scale = scaleAt(4.4, 18);
const at = (lon: number, lat: number, free = false): Place => ({ at: [lon, lat], scale, reach: 10, free });

/** What the server is asked, and answers. */
let sent: { url: string; body: unknown }[];
let answer: (body: { edits: { operation: string; id?: number }[] }) => Response;
let app: App & { watchers: Set<(changes: CollectionChange[] | null) => void> };

beforeEach(() => {
  sent = [];
  answer = ({ edits }) => Response.json({ edits: edits.map(({ operation, id }) => ({ operation, id: id ?? 9, etag: '"n"' })) });
  vi.stubGlobal('document', { baseURI: 'http://city.example/' });
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    if (init.method === 'POST') {
      const body = JSON.parse(init.body as string) as { edits: { operation: string; id?: number }[] };
      sent.push({ url, body });
      return Promise.resolve(answer(body));
    }
    const id = Number(/items\/(\d+)/.exec(url)?.[1]);
    const found = [A, B].find((feature) => feature.id === id) ?? { ...A, id };
    return Promise.resolve(/schema$/.test(url) ? new Response('', { status: 404 }) : Response.json(found, { headers: { etag: `"${id}"` } }));
  });
  const watchers = new Set<(changes: CollectionChange[] | null) => void>();
  app = {
    watchers,
    settings: { lang: 'es', t: (key: string) => key },
    session: { csrf: 'c' },
    say: vi.fn(),
    openTab: vi.fn(),
    endTask: vi.fn(),
    problemText: () => 'problema',
    watch: (watcher: (changes: CollectionChange[] | null) => void) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    announcement: '',
    map: null,
  } as unknown as typeof app;
});
afterEach(() => vi.unstubAllGlobals());

async function editing(collection: Collection = sampleCollection('lotes', { geometryType: 'Polygon', naturalKey: 'nombre' })): Promise<Editor> {
  const editor = new Editor(app, collection, A);
  await vi.waitUntil(() => editor.selected);
  editor.around.features = new Map([['lotes', [A, B]]]);
  return editor;
}
const ring = (editor: Editor) => partsOf(editor.selected!.geometry as GeoJSON.Polygon)[0]![0]!;

describe('a dragged vertex', () => {
  it('takes over the neighbour’s, unless nothing may attract', async () => {
    const editor = await editing();
    // Between both lots are 0.0003 degrees, 110 pixels.
    const [from, to] = [at(-75.199, 4.4), at(-75.19872, 4.40001)];
    expect(editor.tool.press!(from)).toBe(true);
    editor.tool.drag!(to);
    expect(editor.pointer?.snap?.kind).toBe('vertex');
    expect(editor.held).not.toBeNull();
    editor.tool.release!(to);
    expect(ring(editor)[1]).toEqual([-75.1987, 4.4]);
    expect(ring(editor)[2]).toEqual([-75.199, 4.401]);
    editor.undo();
    expect(editor.changed).toEqual([]);
    editor.tool.press!(from);
    editor.tool.drag!({ ...to, free: true });
    editor.tool.release!({ ...to, free: true });
    expect(ring(editor)[1]).toEqual([-75.19872, 4.40001]);
    expect(ring(editor)[0]).toEqual([-75.2, 4.4]);
  });

  it('is not taken where there is none', async () => {
    const editor = await editing();
    expect(editor.tool.press!(at(-75.1995, 4.4005))).toBe(false);
  });

  it('comes out of the middle of an edge, and goes again', async () => {
    const editor = await editing();
    const middle = at(-75.1995, 4.4);
    editor.tool.press!(middle);
    editor.tool.drag!(at(-75.1995, 4.3998));
    editor.tool.release!(at(-75.1995, 4.3998));
    expect(ring(editor)).toHaveLength(6);
    editor.tool.press!(at(-75.1995, 4.3998));
    editor.tool.release!(at(-75.1995, 4.3998));
    expect(editor.grabbed).toEqual({ part: 0, ring: 0, index: 1 });
    editor.removeVertex();
    expect(ring(editor)).toHaveLength(5);
  });
});

describe('drawing', () => {
  it('ends at the first corner of an area, and begins the form', async () => {
    const editor = await editing();
    editor.use('drawArea');
    for (const [lon, lat] of [[-75.21, 4.41], [-75.209, 4.41], [-75.209, 4.411], [-75.21, 4.41]]) editor.tool.click!(at(lon!, lat!));
    expect(editor.toolName).toBe('edit');
    expect(editor.selected?.origin).toBeNull();
    expect(ring(editor)).toHaveLength(4);
  });

  it('goes back vertex by vertex', async () => {
    const editor = await editing();
    editor.use('drawArea');
    editor.tool.click!(at(-75.21, 4.41));
    editor.tool.click!(at(-75.209, 4.41));
    editor.undo();
    expect(editor.sketch).toEqual([[-75.21, 4.41]]);
    expect(editor.tool.cancel!()).toBe(true);
    editor.finishSketch();
    expect(app.say).toHaveBeenCalledWith('El trazo tiene muy pocos vértices.');
  });
});

describe('splitting and merging', () => {
  it('leaves the identity to one, and asks a key of its own of the other', async () => {
    const editor = await editing();
    editor.use('split');
    editor.tool.click!(at(-75.1994, 4.402, true));
    editor.tool.click!(at(-75.1994, 4.399, true));
    editor.tool.click!(at(-75.1994, 4.399, true));
    expect(editor.changed.map(({ origin, properties }) => [origin?.id ?? null, properties.nombre])).toEqual([[1, 'Lote 1'], [null, null]]);
    editor.undo();
    expect(editor.changed).toEqual([]);
  });

  it('sends what goes before what remains', async () => {
    const editor = await editing();
    editor.picker = { pieceAt: () => null, featureAt: () => Promise.resolve(2) };
    editor.use('merge');
    await editor.pickAt(at(-75.198, 4.4005));
    editor.merge();
    await editor.saving.save();
    expect(sent[0]!.body).toMatchObject({ edits: [{ operation: 'delete', id: 2, ifMatch: '"2"' }, { operation: 'update', id: 1, ifMatch: '"1"' }] });
    expect(editor.changed).toEqual([]);
    expect(editor.saving.hiddenIds).toEqual([2, 1]);
    // Once the tiles are new, they draw it.
    for (const tell of app.watchers) tell([{ id: 'lotes', features: [[-75.2, 4.4, -75.19, 4.41]], generalised: [], described: false }]);
    expect(editor.saving.echo).toEqual([]);
    editor.saving.end();
  });
});

describe('saving', () => {
  it('tells what breaks a rule at its piece', async () => {
    const editor = await editing();
    editor.setProperty('nombre', '');
    answer = () => Response.json({ violations: [{ edit: 0, pointer: '/properties/nombre', rule: 'required', detail: 'falta' }] }, { status: 422 });
    await editor.saving.save();
    expect(editor.saving.faults).toEqual([{ key: '=1', attribute: 'nombre', detail: 'falta', position: null }]);
    editor.setProperty('nombre', 'Otro');
    expect(editor.saving.faults).toEqual([]);
  });

  it('leaves chosen what was chosen', async () => {
    const editor = await editing();
    editor.setProperty('nombre', 'Otro');
    await editor.take(2);
    await editor.saving.save();
    expect([editor.selected?.key, editor.changed.length]).toEqual(['=2', 0]);
    editor.saving.end();
  });

  it('sends nothing that crosses itself', async () => {
    const editor = await editing();
    editor.reshape({ type: 'Polygon', coordinates: [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]] }, 'didReshape');
    await editor.saving.save();
    expect(sent).toEqual([]);
    expect(editor.saving.faults[0]?.position).toEqual([1, 1]);
  });

  it('goes on from the version that is there, once it was said what remains', async () => {
    const editor = await editing();
    editor.setProperty('nombre', 'Mío');
    answer = () => Response.json({ conflicts: [{ edit: 0, id: 1, etag: '"2b"', feature: { ...A, properties: { nombre: 'Suyo' } } }] }, { status: 412 });
    await editor.saving.save();
    expect(editor.saving.clash?.theirs?.properties).toEqual({ nombre: 'Suyo' });
    answer = ({ edits }) => Response.json({ edits: edits.map(({ operation, id }) => ({ operation, id, etag: '"3"' })) });
    await editor.saving.resolve({ nombre: 'mine' });
    expect(sent[1]!.body).toMatchObject({ edits: [{ ifMatch: '"2b"', patch: { properties: { nombre: 'Mío' } } }] });
    expect(editor.saving.clash).toBeNull();
    editor.saving.end();
  });

  it('asks before what is not saved is lost', async () => {
    const editor = await editing();
    editor.setProperty('nombre', 'Otro');
    editor.leave();
    expect(editor.leaving).toBe(true);
    expect(app.endTask).not.toHaveBeenCalled();
    editor.undo();
    editor.leave();
    expect(app.endTask).toHaveBeenCalledWith('lotes', 1);
  });
});
