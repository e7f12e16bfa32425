/** Editing on the map: it comes when somebody first edits. */
export { default as Panel } from './EditingPanel.svelte';
export { Editor } from './editor.svelte';
export { default as Toolbar } from './Toolbar.svelte';
