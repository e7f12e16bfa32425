import { mount } from 'svelte';

import './app.css';
import './fonts.css';
import Shell from './Shell.svelte';
import { adminPage } from './state/admin-address';
import { App } from './state/app.svelte';
import { parsePermalink } from './state/permalink';

// The names of waters are in italics, which nothing on the page is: else the map would wait for them.
void document.fonts.load('italic 16px "Lindero Sans Italic"');

// A one-time link is a secret: it must not stay in the address, nor in what is shared of it.
const link = /^#link=([\w-]+)$/.exec(location.hash)?.[1] ?? null;
if (link) history.replaceState(history.state, '', location.pathname + location.search);

const target = document.getElementById('app');
if (target) {
  const app = new App(parsePermalink(location.hash), link);
  app.admin = adminPage(location.hash);
  mount(Shell, { target, props: { app } });
}
