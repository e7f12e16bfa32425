import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { App } from '../state/app.svelte';
import type { Attachment } from './api';
import { type Attachments, attachmentsOf } from './attachments.svelte';

const limits = { attachments: 4, bytes: 100, pixels: 60e6, types: ['image/jpeg', 'application/pdf'] };
const LIST = 'http://city.example/collections/huecos/items/7/attachments';

interface Answer {
  status: number;
  body: unknown;
}

/** Sends at once what it is given, and hears what the test says. */
class FakeSending {
  static sent: { url: string; headers: Record<string, string>; parts: [string, FormDataEntryValue][] }[] = [];
  static answer: (file: File) => Answer | 'broken' | 'never';
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  status = 0;
  responseText = '';
  #url = '';
  #headers: Record<string, string> = {};
  open(_method: string, url: string) {
    this.#url = url;
  }
  setRequestHeader(name: string, value: string) {
    this.#headers[name] = value;
  }
  abort() {
    this.onabort?.();
    this.onloadend?.();
  }
  send(form: FormData) {
    FakeSending.sent.push({ url: this.#url, headers: this.#headers, parts: [...form] });
    const answer = FakeSending.answer(form.get('file') as File);
    queueMicrotask(() => {
      this.upload.onprogress?.({ loaded: 1, total: 2 });
      if (answer === 'never') return;
      if (answer === 'broken') this.onerror?.();
      else {
        this.status = answer.status;
        this.responseText = JSON.stringify(answer.body);
        this.onload?.();
      }
      this.onloadend?.();
    });
  }
}

const file = (name: string, size = 10, type = 'image/jpeg') => new File([new Uint8Array(size)], name, { type });
const problem = (status: number, kind: string): Answer => ({ status, body: { type: `urn:problem-type:lindero:${kind}`, title: kind, status } });
const taken = ({ name }: File): Answer => ({ status: 201, body: { id: `id-${name}`, name, type: 'image/jpeg', size: 10, created: '2026-11-21T14:02:11Z' } });
const names = (list: { name: string }[]) => list.map(({ name }) => name);

let there: Attachment[];
let removed: Answer;
let app: App;
let pages: string[];

beforeEach(() => {
  there = [];
  removed = { status: 204, body: null };
  pages = [];
  FakeSending.sent = [];
  FakeSending.answer = taken;
  vi.stubGlobal('document', { baseURI: 'http://city.example/' });
  vi.stubGlobal('XMLHttpRequest', FakeSending);
  vi.stubGlobal('addEventListener', (kind: string) => pages.push(`+${kind}`));
  vi.stubGlobal('removeEventListener', (kind: string) => pages.push(`-${kind}`));
  vi.stubGlobal('fetch', (_url: string, init: RequestInit) => {
    if (init.method === 'DELETE') {
      return Promise.resolve(removed.status === 204 ? new Response(null, { status: 204 }) : Response.json(removed.body, { status: removed.status }));
    }
    return Promise.resolve(Response.json({ attachments: there, limits }));
  });
  app = { settings: { lang: 'es' }, session: { csrf: 'c' }, say: vi.fn(), problemText: () => 'El servidor no responde.' } as unknown as App;
});

let attachments: Attachments;
async function begin(): Promise<void> {
  attachments = attachmentsOf(app, 'huecos', 7);
  await vi.waitFor(() => expect(attachments.list.status).toBe('ready'));
}
afterEach(() => {
  // What is not finished would be found by the next test.
  for (const one of attachments.pending) attachments.drop(one);
  vi.unstubAllGlobals();
});

describe('adding files', () => {
  it('sends each with its caption before it, one after the other', async () => {
    await begin();
    attachments.choose([file('a.jpg'), file('b.jpg')]);
    attachments.pending[0]!.caption = '  Vista hacia el norte ';
    await attachments.send();
    expect(FakeSending.sent.map(({ url, headers, parts }) => [url, headers['x-csrf-token'], parts.map(([name, value]) => (name === 'file' ? (value as File).name : value))])).toEqual([
      [LIST, 'c', ['Vista hacia el norte', 'a.jpg']],
      [LIST, 'c', ['b.jpg']],
    ]);
    expect(names(attachments.photos)).toEqual(['a.jpg', 'b.jpg']);
    expect(attachments.pending).toEqual([]);
    expect(app.say).toHaveBeenLastCalledWith('Se agregaron 2 archivos.');
    // The page may be left again.
    expect(pages).toContain('+beforeunload');
    expect(pages.at(-1)).toBe('-beforeunload');
  });

  it('keeps what is refused, names it, and adds the others', async () => {
    const refusals: Record<string, Answer | 'broken'> = {
      'a.jpg': problem(415, 'attachment-type'),
      'b.jpg': problem(422, 'invalid-attachment'),
      'd.jpg': 'broken',
    };
    FakeSending.answer = (sent) => refusals[sent.name] ?? taken(sent);
    await begin();
    attachments.choose(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'].map((name) => file(name)));
    attachments.pending[1]!.caption = 'Queda';
    await attachments.send();
    expect(names(attachments.pending.map((one) => one.file))).toEqual(['a.jpg', 'b.jpg', 'd.jpg']);
    expect(attachments.pending.map((one) => attachments.faultText(one))).toEqual([
      '«a.jpg» no es una foto JPEG, PNG o WebP, ni un documento PDF.',
      '«b.jpg» está dañado, o tiene más de 60 megapíxeles.',
      '«d.jpg» no se pudo subir. El servidor no responde.',
    ]);
    expect(attachments.pending[1]!.caption).toBe('Queda');
    expect(app.say).toHaveBeenLastCalledWith('Archivos agregados: 1 de 4. Los demás siguen en la lista.');
    // Another card was looked at meanwhile.
    expect(attachmentsOf(app, 'huecos', 7)).toBe(attachments);
    expect(attachmentsOf(app, 'huecos', 8)).not.toBe(attachments);
  });

  it('does not send what cannot be taken', async () => {
    await begin();
    attachments.choose([file('grande.jpg', 101), file('nada.jpg', 0), ...['a', 'b', 'c', 'd', 'e'].map((name) => file(`${name}.pdf`))]);
    expect(attachments.pending.map((one) => attachments.faultText(one))).toEqual([
      '«grande.jpg» pesa más de 100 B, que es el máximo.',
      '«nada.jpg» está vacío.',
      '',
      '',
      '',
      '',
      '«e.pdf» no cabe: un elemento tiene 4 archivos como máximo.',
    ]);
    await attachments.send();
    expect(FakeSending.sent.length).toBe(4);
    expect(names(attachments.pending.map((one) => one.file))).toEqual(['grande.jpg', 'nada.jpg', 'e.pdf']);
    expect(attachments.isFull).toBe(true);
  });

  it('gives up what is on its way when it is dropped', async () => {
    FakeSending.answer = () => 'never';
    await begin();
    attachments.choose([file('a.jpg')]);
    const sending = attachments.send();
    const [one] = attachments.pending;
    await vi.waitFor(() => expect(one!.share).toBe(0.5));
    attachments.drop(one!);
    await sending;
    expect(attachments.pending).toEqual([]);
    expect(app.say).not.toHaveBeenCalled();
  });
});

describe('removing', () => {
  beforeEach(async () => {
    there = [{ id: 'x', name: 'acta.pdf', type: 'application/pdf', size: 3, created: '2026-11-21T14:02:11Z' }];
    await begin();
  });

  it('takes it from the list, also where somebody was quicker', async () => {
    removed = problem(404, 'not-found');
    expect(names(attachments.documents)).toEqual(['acta.pdf']);
    expect(await attachments.remove(there[0]!)).toBe(true);
    expect(attachments.all).toEqual([]);
  });

  it('says what went wrong, and leaves it', async () => {
    removed = problem(403, 'forbidden');
    expect(await attachments.remove(there[0]!)).toBe(false);
    expect(attachments.said).toBe('«acta.pdf» no se pudo quitar. El servidor no responde.');
    expect(names(attachments.all)).toEqual(['acta.pdf']);
  });
});
