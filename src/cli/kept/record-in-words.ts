/** A record of a journal as a line for a person. */
import { moveStages } from '../../keeper/journal/records.ts';
import type { ToldRecord } from '../../keeper/told.ts';
import { count, formatDuration } from '../output/units.ts';

type Kind = ToldRecord['kind'];
type InWords = {
  readonly [Each in Kind]: (record: Extract<ToldRecord, { kind: Each }>) => string | undefined;
};

const words: InWords = {
  keeper: ({ identity, life, goesOn }) =>
    `life ${life} ${goesOn === true ? 'goes on' : 'begins'}, kept by process ${identity.pid} of tdctl ${identity.tdctl}`,
  asked: ({ verb, peer }) =>
    `${verb} was asked for${peer === null ? '' : ` by process ${peer.pid} of user ${peer.uid}`}`,
  refused: ({ peer }) => `process ${peer.pid} of user ${peer.uid} was turned away`,
  queued: ({ ticket }) => `waits for a key slot (ticket ${ticket})`,
  unqueued: () => 'waits no more',
  move: ({ stage, other, blackoutMs, why }) =>
    [
      `${moveStages[stage]}, process ${other.pid} of tdctl ${other.tdctl}`,
      ...(blackoutMs === null ? [] : [`no vCPU ran for ${formatDuration(blackoutMs)}`]),
      ...(why === null ? [] : [why]),
    ].join('; '),
  event: ({ told }) => eventInWords(told),
  over: ({ outcome, leftoverCount }) =>
    `over: ${outcome}${leftoverCount === 0 ? '' : `, and ${count(leftoverCount, 'thing')} could not be given back`}`,
};

type Event = Extract<ToldRecord, { kind: 'event' }>['told'];

/** Undefined for what is of interest to programs alone. */
function eventInWords(event: Event): string | undefined {
  switch (event.event) {
    case 'state.entered':
      return event.state;
    case 'step.ended':
      return `${event.step} ${event.result} in ${formatDuration(event.durationMs)}`;
    case 'resource.released':
      return event.error === undefined
        ? `gave back ${event.what}`
        : `could not give back ${event.what}: ${event.error.message}`;
    case 'td.finalized':
      return `measured: MRTD ${event.mrtd ?? 'not told by the kernel'}`;
    case 'td.warning':
    case 'guest.ended':
      return event.message;
    case 'guest.panicked':
      return `the guest panicked: ${event.text}`;
    case 'td.ended':
      // That it has ended is said by its last state.
      return event.error === null ? undefined : `${event.outcome}: ${event.error.message}`;
    default:
      return undefined;
  }
}

export function recordInWords(record: ToldRecord): string | undefined {
  const inWords = words[record.kind] as (record: ToldRecord) => string | undefined;
  return inWords(record);
}
