/** The page knows the lanes of the run, which it makes from the messages alone. */
import type { EventMessage } from '../../messages.ts';

export type RunEvent = EventMessage['event'];

export interface Lane {
  readonly name: string;
  readonly machine: RunEvent['machine'];
  readonly td: string;
  state: string | null;
  readonly seen: Set<string>;
  readonly failed: Set<string>;
  note: string;
  outcome: string | null;
}

export const lanes = new Map<string, Lane>();
/** The TD of the newest message. */
export let newestTd: string | null = null;

export function takeEvent({ lane: name, event }: EventMessage): void {
  const lane = lanes.get(name) ?? newLane(name, event);
  lanes.set(name, lane);
  newestTd = lane.td;
  change(lane, event);
}

function newLane(name: string, { machine, td }: RunEvent): Lane {
  const untouched = { state: null, seen: new Set<string>(), failed: new Set<string>() };
  return { name, machine, td, ...untouched, note: '', outcome: null };
}

/** Changes the lane as the event says. */
function change(lane: Lane, event: RunEvent): void {
  switch (event.event) {
    case 'state.entered':
      lane.state = event.state;
      lane.note = '';
      for (const state of withAncestors(event.state)) lane.seen.add(state);
      break;
    case 'step.progress':
      lane.note = `${event.done} of ${event.total} ${event.unit}`;
      break;
    case 'step.ended':
      if (event.result === 'failed') lane.failed.add(stateOfStep(lane, event.step));
      break;
    case 'td.ended':
      lane.outcome = event.outcome;
      lane.note = event.error?.message ?? '';
      break;
    case 'migration.ended':
      lane.outcome = event.verdict;
      lane.note = event.error?.message ?? '';
      break;
  }
}

function withAncestors(state: string): string[] {
  const keys = state.split('.');
  return keys.map((_, at) => keys.slice(0, at + 1).join('.'));
}

/** Steps have the name of their state, which may lie within others. */
function stateOfStep({ seen, state: current }: Lane, step: string): string {
  const named = [...seen].find((state) => state === step || state.endsWith(`.${step}`));
  return named ?? current ?? step;
}

/** The lanes of the VMs of a TD, in the order in which it was in them. */
export function vmsOf(td: string): Lane[] {
  return lanesOf(td, 'td-lifecycle');
}

/** The lanes of the moves of a TD, in their order. */
export function movesOf(td: string): Lane[] {
  return lanesOf(td, 'intra-host-migration');
}

function lanesOf(td: string, machine: RunEvent['machine']): Lane[] {
  return [...lanes.values()].filter((lane) => lane.td === td && lane.machine === machine);
}
