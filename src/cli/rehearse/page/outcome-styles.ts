/** How the square of each outcome looks: a letter, and a colour in each theme that no other has. */
import type { Outcome } from '../../../rehearsal/index.ts';
import { dark, light } from '../../../visualize/svg/palette.ts';

interface OutcomeStyle {
  readonly letter: string;
  readonly light: string;
  readonly dark: string;
}

export const outcomeStyles: Readonly<Record<Outcome, OutcomeStyle>> = {
  unharmed: { letter: '✓', light: light.active, dark: dark.active },
  refused: { letter: 'R', light: light.event, dark: dark.event },
  'source kept': { letter: 'S', light: light.apart, dark: dark.apart },
  'died with its owner': { letter: 'D', light: light.done, dark: dark.done },
  'slot lost by the module': { letter: 'M', light: light.timer, dark: dark.timer },
  'slot lost by the kernel': { letter: 'K', light: light.always, dark: dark.always },
  'TD lost by the kernel': { letter: 'T', light: light.error, dark: dark.error },
  violation: { letter: '!', light: light.ink, dark: dark.ink },
  'not met': { letter: '–', light: '#8a6d3b', dark: '#b59a6a' },
};

/** Outcomes are classes of the page: words, joined by hyphens. */
export function className(outcome: string): string {
  return outcome.replaceAll(' ', '-');
}

export function outcomeRules(theme: 'light' | 'dark'): string {
  return Object.entries(outcomeStyles)
    .map(([outcome, style]) => `.cell.${className(outcome)} { background: ${style[theme]}; }`)
    .join('\n');
}
