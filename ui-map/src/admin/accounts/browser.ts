/** The browsers and systems that most people have, in the order in which their marks are to be looked for. */
const BROWSERS: [string, RegExp][] = [
  ['Edge', /Edg(?:e|A|iOS)?\//], ['Opera', /OPR\//], ['Samsung Internet', /SamsungBrowser\//], ['Firefox', /Firefox\/|FxiOS\//],
  ['Chrome', /Chrome\/|CriOS\//], ['Safari', /Safari\//],
];
const SYSTEMS: [string, RegExp][] = [
  ['Android', /Android/], ['iOS', /iPhone|iPad/], ['Windows', /Windows/], ['macOS', /Macintosh/], ['Linux', /Linux|X11/],
];

/** What a person calls the browser that calls itself so: `Chrome, Windows`; null where it is none of those known. */
export function browserOf(agent: string): string | null {
  const first = (list: [string, RegExp][]) => list.find(([, mark]) => mark.test(agent))?.[0];
  return [first(BROWSERS), first(SYSTEMS)].filter(Boolean).join(', ') || null;
}
