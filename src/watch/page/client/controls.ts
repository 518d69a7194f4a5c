/** Pause, step and speed are asked of tdctl, and shown as it says. A run on a real host has none of them. */
import { make, part } from '../../../visualize/page/client/dom.ts';
import type { ControlMessage, Pace } from '../../messages.ts';
import { facts } from './facts.ts';
import { filter } from './panels.ts';

interface Controls {
  readonly hold: HTMLButtonElement;
  readonly stepOn: HTMLButtonElement;
  readonly speed: HTMLSelectElement;
}

const controls: Controls | undefined = facts.canHold
  ? {
      hold: part('hold', HTMLButtonElement),
      stepOn: part('step', HTMLButtonElement),
      speed: part('speed', HTMLSelectElement),
    }
  : undefined;
let isPaused = false;

export function showPace({ paused, stepsPerSecond }: Pace): void {
  isPaused = paused;
  if (controls === undefined) return;
  const { hold, stepOn, speed } = controls;
  hold.textContent = paused ? 'Resume' : 'Pause';
  stepOn.disabled = !paused;
  const value = stepsPerSecond === null ? 'max' : String(stepsPerSecond);
  if (![...speed.options].some((option) => option.value === value)) {
    speed.append(make('option', `${value} steps/s`, { value }));
  }
  speed.value = value;
}

export function endHolding(): void {
  for (const control of Object.values(controls ?? {})) control.disabled = true;
}

function ask(what: ControlMessage): void {
  fetch('control', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(what),
  }).catch(() => undefined);
}

if (controls !== undefined) {
  const { hold, stepOn, speed } = controls;
  hold.addEventListener('click', () => ask({ do: isPaused ? 'resume' : 'pause' }));
  stepOn.addEventListener('click', () => ask({ do: 'step' }));
  speed.addEventListener('change', () => {
    const stepsPerSecond = speed.value === 'max' ? null : Number(speed.value);
    ask({ do: 'speed', stepsPerSecond });
  });
}

const keys: Readonly<Record<string, () => void>> = {
  '/': () => filter.focus(),
  ' ': () => controls?.hold.click(),
  s: () => controls?.stepOn.click(),
};
addEventListener('keydown', (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
  // A focused button takes the space bar itself.
  if (target instanceof HTMLButtonElement && key === ' ') return;
  const answer = keys[key];
  if (answer === undefined) return;
  event.preventDefault();
  answer();
});
