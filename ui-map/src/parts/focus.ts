/** Keeps the keyboard's place when what had the focus is about to go: it moves to the panel that held it. */
export const focusPanel = (): void => document.getElementById('panel')?.focus({ preventScroll: true });
