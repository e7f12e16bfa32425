import { mount } from 'svelte';

import './app.css';
import './fonts.css';
import AppView from './App.svelte';
import { App } from './state/app.svelte';
import { parsePermalink } from './state/permalink';

const target = document.getElementById('app');
if (target) mount(AppView, { target, props: { app: new App(parsePermalink(location.hash)) } });
