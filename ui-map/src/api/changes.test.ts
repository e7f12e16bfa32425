import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ChangeStream, type CollectionChange } from './changes';

class FakeSource extends EventTarget {
  static readonly CLOSED = 2;
  static all: FakeSource[] = [];
  readyState = 0;
  constructor(readonly url: string) {
    super();
    FakeSource.all.push(this);
  }
  close() {
    this.readyState = 2;
  }
  tell(kind: string, data: unknown, id: string) {
    this.dispatchEvent(Object.assign(new Event(kind), { data: JSON.stringify(data), lastEventId: id }));
  }
}

class FakePage extends EventTarget {
  baseURI = 'http://city.example/sig/';
  visibilityState = 'visible';
  look(visible: boolean) {
    this.visibilityState = visible ? 'visible' : 'hidden';
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

let page: FakePage;
let heard: (CollectionChange[] | 'everything')[];
const listener = { changed: (changes: CollectionChange[]) => heard.push(changes), everything: () => heard.push('everything') };
const urls = () => FakeSource.all.map(({ url }) => url.replace('http://city.example/sig/', ''));
const latest = () => FakeSource.all.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSource.all = [];
  heard = [];
  page = new FakePage();
  vi.stubGlobal('document', page);
  vi.stubGlobal('EventSource', FakeSource);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the stream of changes', () => {
  it('begins where the page began, and tells on', () => {
    new ChangeStream('aa-1', listener);
    expect(urls()).toEqual(['changes?since=aa-1']);
    const change = { id: 'vias', features: [], generalised: [], described: true };
    latest().tell('changed', { collections: [change] }, 'aa-2');
    latest().tell('everything', {}, 'aa-3');
    expect(heard).toEqual([[change], 'everything']);
  });

  it('gives its connection back while nobody looks, and asks for what it missed', () => {
    const stream = new ChangeStream('aa-1', listener);
    latest().tell('everything', {}, 'aa-7');
    page.look(false);
    expect(latest().readyState).toBe(FakeSource.CLOSED);
    page.look(true);
    page.look(true);
    expect(urls()).toEqual(['changes?since=aa-1', 'changes?since=aa-7']);
    stream.close();
    page.look(true);
    expect(urls()).toHaveLength(2);
  });

  it('is tried again, ever more seldom, where the answer is no stream', () => {
    new ChangeStream(null, listener);
    const fail = () => {
      latest().readyState = FakeSource.CLOSED;
      latest().dispatchEvent(new Event('error'));
    };
    fail();
    vi.advanceTimersByTime(2_000);
    expect(urls()).toEqual(['changes', 'changes']);
    fail();
    vi.advanceTimersByTime(2_000);
    expect(urls()).toHaveLength(2);
    vi.advanceTimersByTime(2_000);
    expect(urls()).toHaveLength(3);
    // The browser makes a lost connection again by itself.
    latest().dispatchEvent(new Event('error'));
    vi.advanceTimersByTime(120_000);
    expect(urls()).toHaveLength(3);
  });
});
