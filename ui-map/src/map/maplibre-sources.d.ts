/**
 * MapLibre's own modules, which the build takes from the package's sources (build/maplibre.ts), with
 * the types that the package publishes.
 */
declare module 'maplibre-gl/src/ui/map.ts' {
  export { Map } from 'maplibre-gl';
}
declare module 'maplibre-gl/src/ui/control/scale_control.ts' {
  export { ScaleControl } from 'maplibre-gl';
}
declare module 'maplibre-gl/src/source/protocol_crud.ts' {
  export { addProtocol } from 'maplibre-gl';
}
declare module 'maplibre-gl/src/source/worker.ts' {}
