/** The administration's sections, in the order of the menu, and by what permission each is opened. */
export const SECTIONS = {
  accounts: ['manage_accounts'],
  roles: ['manage_accounts', 'manage_roles'],
  layers: ['manage_layers'],
  audit: ['read_audit'],
  jobs: ['operate'],
  health: ['operate'],
  sessions: [],
} as const satisfies Record<string, readonly string[]>;

export type Section = keyof typeof SECTIONS;

export const isSection = (text: string): text is Section => Object.hasOwn(SECTIONS, text);

/** A page of the administration: a section, what of it, and what is asked for there. */
export interface Place {
  section: Section | null;
  item: string | null;
  query: URLSearchParams;
}

/** What an address says behind `#admin/`. */
export function parsePlace(path: string): Place {
  const [way = '', query = ''] = path.split('?');
  const [section = '', item = ''] = way.split('/');
  return { section: isSection(section) ? section : null, item: decode(item) || null, query: new URLSearchParams(query) };
}

/** Its address. */
export function addressOf(section: Section, item?: string, query?: URLSearchParams): string {
  const asked = query?.toString();
  return `#admin/${section}${item ? `/${encodeURIComponent(item)}` : ''}${asked ? `?${asked}` : ''}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
