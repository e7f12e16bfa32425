/** The colours of the base map in one theme. */
export interface Palette {
  /** Beyond the municipality. */
  beyond: string;
  land: string;
  rural: string;
  urban: string;
  /** Built-up ground from afar, where there is no room for blocks. */
  built: string;
  block: string;
  blockLine: string;
  parcelLine: string;
  water: string;
  waterLine: string;
  waterText: string;
  /** `afar` where there is no room for a casing: it must stand out by itself, on the country and on built-up ground. */
  street: Record<StreetClass, { fill: string; casing: string; afar: string }>;
  streetText: string;
  limit: string;
  limitGlow: string;
  district: string;
  placeText: string;
  minorText: string;
  ruralText: string;
  /** Around texts, so that they can be read on anything. */
  halo: string;
  /** Around marks. */
  markHalo: string;
  highlight: string;
  highlightCasing: string;
}

/** The classes of `vias.jerarquia`, the least important first: the order in which they are drawn. */
export const STREET_CLASSES = ['peatonal', 'rural', 'local', 'colectora', 'principal', 'arteria'] as const;
export type StreetClass = (typeof STREET_CLASSES)[number];

const light: Palette = {
  beyond: '#e6e8e6',
  land: '#f5f4ef',
  rural: '#eef1e4',
  urban: '#f4f1ea',
  built: '#e0d5c3',
  block: '#e9e3d8',
  blockLine: '#d8d0c1',
  parcelLine: '#cbc1af',
  water: '#b3d7e8',
  waterLine: '#8bbfd8',
  waterText: '#33708f',
  street: {
    peatonal: { fill: '#fbf7f0', casing: '#d6c9b8', afar: '#d6c9b8' },
    rural: { fill: '#fffdf6', casing: '#c9b797', afar: '#c9b797' },
    local: { fill: '#ffffff', casing: '#d9d1c4', afar: '#d9d1c4' },
    colectora: { fill: '#ffffff', casing: '#c9bfae', afar: '#c9bfae' },
    principal: { fill: '#fdeebb', casing: '#d9bd6f', afar: '#f5cd73' },
    arteria: { fill: '#fbd17f', casing: '#d29a3c', afar: '#fbd17f' },
  },
  streetText: '#4c4a45',
  limit: '#7d6a8d',
  limitGlow: '#cfc3da',
  district: '#94859f',
  placeText: '#3a3244',
  minorText: '#665f6e',
  ruralText: '#4f5b3f',
  halo: '#fdfcf9',
  markHalo: '#ffffff',
  highlight: '#d6006c',
  highlightCasing: '#ffffff',
};

const dark: Palette = {
  beyond: '#0e1216',
  land: '#171c21',
  rural: '#171f1d',
  urban: '#1b2026',
  built: '#343c47',
  block: '#242a31',
  blockLine: '#303740',
  parcelLine: '#3b434d',
  water: '#143246',
  waterLine: '#215070',
  waterText: '#7db4d3',
  street: {
    peatonal: { fill: '#30363d', casing: '#20252b', afar: '#20252b' },
    rural: { fill: '#40433d', casing: '#1d221f', afar: '#40433d' },
    local: { fill: '#3b424b', casing: '#1e2329', afar: '#1e2329' },
    colectora: { fill: '#4a525d', casing: '#1d2228', afar: '#1d2228' },
    principal: { fill: '#6a6247', casing: '#22211d', afar: '#6a6247' },
    arteria: { fill: '#92763c', casing: '#272219', afar: '#92763c' },
  },
  streetText: '#c3c8cd',
  limit: '#a893bd',
  limitGlow: '#33293e',
  district: '#75698a',
  placeText: '#e7e2ee',
  minorText: '#b4adbe',
  ruralText: '#a8bd94',
  halo: '#12161a',
  markHalo: '#e9edef',
  highlight: '#ff5fa8',
  highlightCasing: '#12161a',
};

export const palettes = { light, dark };
export type Theme = keyof typeof palettes;
