/** The building of a TD as a person reads it: the plan, and a line for each step, as those of `tdctl run`. */
import type { CommandIo } from '../../io.ts';
import { say } from '../../output/print.ts';
import { textView } from '../../run/text-view.ts';
import type { PrintedEvent } from '../../words.ts';
import type { KeptFormat } from '../options.ts';
import type { Prepared } from './prepare.ts';

export interface CreateView {
  planned(prepared: Prepared | undefined): void;
  event(event: PrintedEvent): void;
  queued(place: { readonly position: number; readonly of: number }): void;
  runnable(): void;
}

const silent: CreateView = {
  planned: () => undefined,
  event: () => undefined,
  queued: () => undefined,
  runnable: () => undefined,
};

export function createView(output: KeptFormat, io: CommandIo): CreateView {
  if (output !== 'text') return silent;
  const view = textView(io);
  let isRunnable = false;
  const runnable = () => {
    if (!isRunnable) view.runnable();
    isRunnable = true;
  };
  return {
    planned: (prepared) => {
      if (prepared !== undefined) view.planned(prepared.plan, prepared.slots);
    },
    event(event) {
      // Measured and whole: what follows is its start.
      if (event.event === 'state.entered' && event.state === 'runnable') runnable();
      view.event(event);
    },
    queued: ({ position, of }) => say(io, `waiting for a key slot as number ${position} of ${of}`),
    runnable,
  };
}
