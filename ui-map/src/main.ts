import { mount } from 'svelte';

import './app.css';
import './fonts.css';
import AppView from './App.svelte';
import { App } from './state/app.svelte';
import { parsePermalink } from './state/permalink';

// The names of waters are in italics, which nothing on the page is: else the map would wait for them.
void document.fonts.load('italic 16px "Lindero Sans Italic"');

const target = document.getElementById('app');
if (target) mount(AppView, { target, props: { app: new App(parsePermalink(location.hash)) } });
