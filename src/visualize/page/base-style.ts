/** All pages share this style; the charts bring their own. */
import { fontFamily } from '../layout/measure.ts';
import { colorVariables, dark, light } from '../svg/palette.ts';

export const monospace = "ui-monospace, Menlo, Consolas, 'Liberation Mono', monospace";

/** This style is for pages that fill the window and scroll within. */
export const fullHeight = 'height: 100vh; display: flex; flex-direction: column;';

export const baseStyle = `
:root { ${colorVariables(light)} }
@media (prefers-color-scheme: dark) { :root { ${colorVariables(dark)} } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; font: 14px/1.5 ${fontFamily}; color: var(--ink); background: var(--canvas); }
header { border-bottom: 1px solid var(--rule); }
h1 { font-size: 17px; margin: 0; }
h1 small { font-weight: normal; font-size: 12px; color: var(--muted); }
table { border-collapse: collapse; }
button, select, input { font: inherit; color: inherit; background: var(--box); border: 1px solid var(--border); border-radius: 8px; padding: 4px 10px; }
button { cursor: pointer; }
button:hover:enabled { border-color: var(--event); }
button:disabled { opacity: 0.5; cursor: default; }
:focus-visible { outline: 2px solid var(--event); outline-offset: 1px; }
`;
