/** From the states of the chart to those that a person finds a TD in. */
import type { AnyTdStateId } from '../orchestrator/index.ts';
import type { KeptState } from './state.ts';

/** By the outermost state. */
const keptStateOfChart: Readonly<Record<TopLevel<AnyTdStateId> | 'queued', KeptState>> = {
  queued: 'queued',
  absent: 'creating',
  provisioning: 'creating',
  preparing: 'moving',
  receiving: 'moving',
  runnable: 'runnable',
  entering: 'running',
  running: 'running',
  pausing: 'running',
  paused: 'paused',
  migratingOut: 'moving',
  movedAway: 'moved',
  stopping: 'stopping',
  interrupting: 'stopping',
  terminating: 'releasing',
  releasing: 'releasing',
  destroyed: 'destroyed',
  failed: 'failed',
  stuck: 'stuck',
};

type TopLevel<State extends string> = State extends `${infer Top}.${string}` ? Top : State;

export function keptStateOf(state: AnyTdStateId | 'queued'): KeptState {
  return keptStateNamed(state) as KeptState;
}

/** @returns undefined for what is no state of this version of the chart. */
export function keptStateNamed(state: string): KeptState | undefined {
  const end = state.indexOf('.');
  const top = end === -1 ? state : state.slice(0, end);
  return Object.hasOwn(keptStateOfChart, top)
    ? keptStateOfChart[top as keyof typeof keptStateOfChart]
    : undefined;
}
