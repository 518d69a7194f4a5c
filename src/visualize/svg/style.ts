/** The style sheet of a picture. */
import { fontFamily } from '../layout/measure.ts';
import { fonts } from '../layout/node-content.ts';
import { colorVariables, dark, light, type Palette, type Theme } from './palette.ts';

/** `$name` stands for a colour of the palette. */
const rules = `
.chart { font-family: ${fontFamily}; }
.chart text { fill: $ink; white-space: pre; }
.canvas { fill: $canvas; }
.box { fill: $box; stroke: $border; stroke-width: 1.2; }
.compound > .box, .parallel > .box { fill: $nest1; }
.deep > .box { fill: $nest2; }
.region > .box { stroke-dasharray: 5 4; }
.active > .box { stroke: $active; stroke-width: 2.6; }
.inner { fill: none; stroke: $border; stroke-width: 1.2; }
.heading > text { paint-order: stroke; stroke: $nest1; stroke-width: 5px; stroke-linejoin: round; }
.heading.deep > text { stroke: $nest2; }
.border { fill: none; stroke: $error; stroke-width: 3.5; stroke-dasharray: 12 5; }
.chart .legend text { font-size: 12px; fill: $muted; }
.rule { stroke: $rule; stroke-width: 1; }
.chart .machine { font-size: 21px; font-weight: bold; }
.chart .about { font-size: 13px; fill: $muted; }
.chart .name { font-size: ${fonts.name.size}px; font-weight: bold; }
.chart .row { font-size: ${fonts.row.size}px; }
.chart .keyword { fill: $muted; }
.tag rect { fill: $tag; }
.chart .tag text { font-size: ${fonts.tag.size}px; fill: $tagInk; }
.chip rect { fill: $canvas; stroke: $done; stroke-width: 0.8; }
.chart .chip text { font-size: ${fonts.tag.size}px; fill: $done; }
.chip.error rect { fill: $errorSoft; stroke: none; }
.chart .chip.error text { fill: $error; }
.dot { fill: $ink; }
.line { fill: none; stroke-width: 1.5; stroke: $done; }
.head { fill: $done; }
.start .line { stroke: $ink; }
.start .head { fill: $ink; }
.pill { fill: $pill; stroke: $done; stroke-width: 0.8; stroke-opacity: 0.55; }
.chart .label { font-size: ${fonts.label.size}px; fill: $done; }
.chart .trigger { font-weight: bold; }
.chart .guard { fill: $ink; }
.chart .action { fill: $muted; }
${tone('event')}${tone('error')}${tone('timer')}${tone('always')}.error > .line { stroke-dasharray: 6 3; }
`;

function tone(name: 'event' | 'error' | 'timer' | 'always'): string {
  return `.edge.${name} .line, .edge.${name} .pill { stroke: $${name}; }
.edge.${name} .head, .chart .trigger.${name} { fill: $${name}; }
`;
}

/**
 * A fixed theme has its colours written out. `auto` uses variables that follow the reader's own
 * setting; each declaration is given twice, because some renderers (librsvg) know no variables
 * and keep the first.
 */
export function styleSheet(theme: Theme): string {
  if (theme !== 'auto') return withColors(theme === 'dark' ? dark : light);
  const both = rules.replace(/([\w-]+): \$(\w+);/g, (_, property: string, name: string) => {
    return `${property}: ${light[name as keyof Palette]}; ${property}: var(--${name});`;
  });
  return [
    `.chart { ${colorVariables(light)} }`,
    `@media (prefers-color-scheme: dark) { .chart { ${colorVariables(dark)} } }`,
    both.trim(),
  ].join('\n');
}

function withColors(palette: Palette): string {
  return rules.replace(/\$(\w+)/g, (_, name: string) => palette[name as keyof Palette]).trim();
}
