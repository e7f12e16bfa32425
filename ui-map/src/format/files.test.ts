import { expect, it } from 'vitest';

import { formatSize } from './files';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1536, '1,5 kB'],
  [348_211, '340 kB'],
  [1_023_900, '1 MB'],
  [20 * 1024 * 1024, '20 MB'],
  [3 * 1024 ** 4, '3072 GB'],
])('%d bytes are %s', (bytes, text) => expect(formatSize(bytes, 'es')).toBe(text));
