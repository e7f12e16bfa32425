// The worker of MapLibre: parses tiles and lays out texts. A file of ours, beside the page's chunks.
import 'maplibre-gl/src/source/worker.ts';
