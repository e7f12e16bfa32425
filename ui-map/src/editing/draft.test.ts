import { describe, expect, it } from 'vitest';

import type { Feature } from '../api/types';
import { anew, differences, GEOMETRY, proposed, resolved } from './conflict';
import { changedPieces, editsOf, emptyDraft, made, opened, put } from './draft';
import { begun, done, redone, undone } from './timeline';

const point = (lon: number): GeoJSON.Point => ({ type: 'Point', coordinates: [lon, 4.4] });
const feature = (id: number, more: Record<string, unknown> = {}, lon = -75.2): Feature => ({
  type: 'Feature', id, geometry: point(lon), properties: { nombre: 'Plaza', pisos: 2, ...more },
});
const plaza = opened(feature(7), '"a"');

describe('edits', () => {
  it('say what changed, and nothing of what did not', () => {
    const draft = put(emptyDraft, { ...plaza, properties: { nombre: 'Plaza', pisos: null } });
    expect(editsOf(draft).edits).toEqual([{ operation: 'update', id: 7, ifMatch: '"a"', patch: { properties: { pisos: null } } }]);
    expect(changedPieces(put(emptyDraft, { ...plaza, properties: { ...plaza.properties } }))).toEqual([]);
    expect(editsOf(put(emptyDraft, { ...plaza, geometry: point(-75.3) })).edits).toEqual([
      { operation: 'update', id: 7, ifMatch: '"a"', patch: { geometry: point(-75.3) } },
    ]);
  });

  it('take away first, then change, then add', () => {
    const other = opened(feature(8), '"b"');
    const draft = put(
      emptyDraft,
      made('new', point(1) as never, { nombre: 'Parque', pisos: null }),
      { ...plaza, properties: { nombre: 'Plaza Mayor', pisos: 2 } },
      { ...other, deleted: true },
    );
    const { edits, pieces } = editsOf(draft);
    expect(edits.map(({ operation }) => operation)).toEqual(['delete', 'update', 'create']);
    expect(edits[2]).toEqual({ operation: 'create', feature: { type: 'Feature', geometry: point(1), properties: { nombre: 'Parque' } } });
    expect(pieces.map(({ key }) => key)).toEqual(['=8', '=7', 'new']);
  });

  it('say nothing of what was made and taken away again', () => {
    const piece = made('new', point(1) as never, {});
    expect(put(put(emptyDraft, piece), { ...piece, deleted: true }).size).toBe(0);
  });
});

describe('undo and redo', () => {
  it('walk along what was done, until something else is done', () => {
    let line = done(done(begun('a'), 'move', 'b'), 'move', 'c');
    line = undone(line)!;
    expect(line.present).toBe('b');
    expect(redone(line)!.present).toBe('c');
    line = done(undone(line)!, 'draw', 'd');
    expect([line.present, redone(line), undone(line)!.present]).toEqual(['d', null, 'a']);
    expect(undone(begun('a'))).toBeNull();
  });

  it('take what is typed on as one', () => {
    const line = done(done(begun(''), 'name', 'P', true), 'name', 'Pl', true);
    expect(undone(line)!.present).toBe('');
    expect(undone(done(line, 'floors', '3', true))!.present).toBe('Pl');
  });
});

describe('a conflict', () => {
  const mine = { ...plaza, properties: { nombre: 'Plaza Mayor', pisos: 3 }, geometry: point(-75.3) };
  const theirs = feature(7, { nombre: 'Plazoleta', uso: 'público' });

  it('shows what differs, and what both changed', () => {
    const found = differences(mine, theirs);
    expect(found.map(({ name, both }) => [name, both])).toEqual([['nombre', true], ['pisos', false], ['uso', false], [GEOMETRY, false]]);
    expect(proposed(mine, found)).toEqual({ nombre: 'mine', pisos: 'mine', uso: 'theirs', [GEOMETRY]: 'mine' });
  });

  it('becomes what was chosen, upon the version that is there now', () => {
    const piece = resolved(mine, theirs, '"c"', { nombre: 'theirs', pisos: 'mine', uso: 'theirs', [GEOMETRY]: 'theirs' });
    expect(editsOf(put(emptyDraft, piece)).edits).toEqual([{ operation: 'update', id: 7, ifMatch: '"c"', patch: { properties: { pisos: 3 } } }]);
    expect(changedPieces(put(emptyDraft, resolved(mine, theirs, '"c"', {})))).toEqual([]);
  });

  it('of what is gone can be made anew', () => {
    expect(editsOf(put(emptyDraft, anew(mine, 'new'))).edits[0]!.operation).toBe('create');
  });
});
