/** What the colours and tags of a picture mean, for those that are in it. */
import { machines } from '../../machines/index.ts';
import { type ChartModel, walk } from './chart-model.ts';
import { toneOf } from './layout/edge-lines.ts';
import type { EdgeTone } from './layout/geometry.ts';

export interface Legend {
  readonly lines: readonly { readonly tone: EdgeTone; readonly words: string }[];
  readonly tags: readonly { readonly tag: string; readonly words: string }[];
}

const meanings: Readonly<Record<EdgeTone, string>> = {
  done: "the state's own work is done",
  event: 'somebody sends this event',
  error: 'an error',
  timer: 'a time is over',
  always: 'a condition is met',
};

export function legendOf(model: ChartModel): Legend {
  const tones = new Set(model.edges.map(toneOf));
  const used = new Set(walk(model.root).flatMap(({ tags }) => tags));
  const words: Readonly<Record<string, string>> = registered(model)?.tags ?? {};
  return {
    lines: Object.entries(meanings)
      .map(([tone, meaning]) => ({ tone: tone as EdgeTone, words: meaning }))
      .filter(({ tone }) => tones.has(tone)),
    tags: Object.entries(words)
      .map(([tag, meaning]) => ({ tag, words: meaning }))
      .filter(({ tag }) => used.has(tag)),
  };
}

/** The tag of the state whose border is a line that is crossed once. */
export function borderTagOf(model: ChartModel): string | undefined {
  return registered(model)?.borderTag;
}

/** A chart that is not of tdctl has no words for its tags. */
function registered({ id }: ChartModel) {
  return machines.find((machine) => machine.id === id);
}
