import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** What is text inside: fonts and pictures are compressed already. The page itself is not among
 * them, since the server writes its base path into it. */
const TEXT = /\.(js|css|svg|json|map|txt|wasm|webmanifest)$/;

/**
 * Writes `X.br` and `X.gz` beside each text file of the build, compressed as hard as can be and
 * only where that makes it smaller. The server sends them as they are.
 */
export function compressed(): Plugin {
  return {
    name: 'lindero:compressed',
    apply: 'build',
    enforce: 'post',
    writeBundle({ dir }) {
      if (!dir) throw new Error('the build has no folder to write to');
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!TEXT.test(name)) continue;
        const path = join(dir, name);
        const plain = readFileSync(path);
        const variants = {
          br: brotliCompressSync(plain, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
            },
          }),
          gz: gzipSync(plain, { level: constants.Z_BEST_COMPRESSION }),
        };
        for (const [suffix, bytes] of Object.entries(variants)) {
          if (bytes.length < plain.length) writeFileSync(`${path}.${suffix}`, bytes);
        }
      }
    },
  };
}
