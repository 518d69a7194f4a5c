/** The colours of a picture are named by what they are for. */
export type Theme = 'auto' | 'light' | 'dark';

export interface Palette {
  readonly canvas: string;
  readonly ink: string;
  readonly muted: string;
  /** Compound states, from the outermost inwards; deeper ones repeat the last two. */
  readonly nest1: string;
  readonly nest2: string;
  readonly border: string;
  readonly box: string;
  readonly rule: string;
  readonly tag: string;
  readonly tagInk: string;
  readonly pill: string;
  readonly active: string;
  readonly event: string;
  readonly done: string;
  readonly error: string;
  readonly errorSoft: string;
  readonly timer: string;
  readonly always: string;
  /** For what must be told from all of the above. */
  readonly apart: string;
}

export const light: Palette = {
  canvas: '#ffffff',
  ink: '#0f172a',
  muted: '#5b6b82',
  nest1: '#f5f7fb',
  nest2: '#ebeff6',
  border: '#8390a6',
  box: '#ffffff',
  rule: '#e2e8f0',
  tag: '#e8edfb',
  tagInk: '#3b4f9c',
  pill: '#ffffff',
  active: '#087a4d',
  event: '#2459d3',
  done: '#51627a',
  error: '#c8323c',
  errorSoft: '#fdecec',
  timer: '#9a5b07',
  always: '#7a3cc2',
  apart: '#0a6f7d',
};

export const dark: Palette = {
  canvas: '#0f141d',
  ink: '#e6ebf3',
  muted: '#93a1b5',
  nest1: '#161d29',
  nest2: '#1d2634',
  border: '#64758e',
  box: '#212b3a',
  rule: '#344155',
  tag: '#2a3658',
  tagInk: '#b4c4ff',
  pill: '#0f141d',
  active: '#3ddc97',
  event: '#7fa8ff',
  done: '#a3b2c7',
  error: '#ff8a8a',
  errorSoft: '#45232b',
  timer: '#f0b45c',
  always: '#c9a2ff',
  apart: '#38d6e8',
};

/** Gives the palette as custom properties of CSS, each by its own name. */
export function colorVariables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, color]) => `--${name}: ${color};`)
    .join(' ');
}
