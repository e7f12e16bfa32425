/** How far a classification closes; none closes nothing. */
export const RANK: Record<string, number> = { '': 0, publica: 0, clasificada: 1, reservada: 2 };

/** ISO 19115, as the server has them. */
export const FREQUENCIES = [
  'continual', 'daily', 'weekly', 'fortnightly', 'monthly', 'quarterly', 'biannually', 'annually', 'asNeeded', 'irregular',
  'notPlanned', 'unknown',
] as const;

/** The sectors of the cities' plans, in the order of the layer panel. */
export const SECTORS: string[] = [
  'base', 'planeacion', 'catastro', 'riesgo', 'ambiente', 'infraestructura', 'movilidad', 'tic', 'educacion', 'salud', 'social',
  'cultura', 'economia', 'agricultura', 'gobierno', 'otros',
];
