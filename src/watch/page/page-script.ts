/**
 * The script of the live page, as the text that goes into it. Plain DOM; the parts share one scope, in
 * this order.
 */
import { cardsScript } from './script/cards.ts';
import { controlsScript } from './script/controls.ts';
import { modelScript } from './script/model.ts';
import { panelsScript } from './script/panels.ts';
import { streamScript } from './script/stream.ts';

const setup = `
'use strict';
const facts = JSON.parse(document.getElementById('data').textContent);
const element = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
const took = (value) => value < 0.1 ? Math.round(value * 1000) + ' µs' : ms(value);
const ms = (value) => value >= 1000 ? (value / 1000).toFixed(2) + ' s' : value.toFixed(2) + ' ms';
`;

export const pageScript = [
  setup,
  modelScript,
  cardsScript,
  panelsScript,
  controlsScript,
  streamScript,
].join('');
