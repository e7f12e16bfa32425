/** The versions of a feature: they come when somebody first asks for them. */
export { default as Panel } from './HistoryPanel.svelte';
export { Versions } from './versions.svelte';
