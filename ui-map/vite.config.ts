import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { compressed } from './build/compressed';
import { maplibreFromSources } from './build/maplibre';
import { preload, WORKER_ENTRY } from './build/preload';

export default defineConfig({
  // Relative to the page's <base href>, which the server sets to its base path.
  base: './',
  plugins: [maplibreFromSources(), svelte(), preload(), compressed()],
  build: {
    target: ['chrome109', 'firefox115'],
    cssTarget: ['chrome109', 'firefox115'],
    // The page's own head says what to preload; CSP forbids nothing of it.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: { app: 'index.html', worker: WORKER_ENTRY },
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
});
