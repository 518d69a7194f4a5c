/** Every fault that a run could meet, found by playing it once without any and reading its trace. */
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import type { RequestName } from '../../abi/kvm/requests.ts';
import type { TdState } from '../../orchestrator/index.ts';
import { type FaultRecord, possibleFaults, type TraceEvent } from '../../simulator/index.ts';
import type { TracedCall } from '../rehearse-once.ts';
import type { Who } from '../world.ts';
import type { RehearsalFault } from './fault.ts';

export interface FaultCase {
  readonly faults: readonly RehearsalFault[];
  /** The lane and the state of the step that the first of them falls into. */
  readonly lane: string;
  readonly state: TracedCall['state'];
  /** The cases that are equal to this one and come later (equal-calls.ts). */
  readonly equal?: readonly FaultCase[] | undefined;
}

export interface SingleFault extends FaultCase {
  /** The call that it hits. */
  readonly call: TraceEvent;
}

/** There is one case for each fault, in the order of the run. */
export function singleFaults(trace: readonly TracedCall[]): SingleFault[] {
  const places = placesOf(trace);
  const calls = trace.map(({ call }) => call);
  const faults: RehearsalFault[] = [
    ...possibleFaults(calls),
    ...refusals(calls),
    ...races(calls),
    ...deaths(trace),
  ];
  return faults
    .map((fault) => ({ faults: [fault], ...placeOf(places, fault) }))
    .sort((a, b) => a.order - b.order)
    .map(({ order: _, ...each }) => each);
}

/**
 * Of the calls to one place the first two and the last are taken, because a later one in a row of equals
 * does what the second did. Without that the pairs of a small TD would be half a million.
 */
export function representative(cases: readonly FaultCase[]): FaultCase[] {
  const kinds = new Map<string, FaultCase[]>();
  for (const each of cases) {
    const [fault] = each.faults;
    if (fault === undefined) continue;
    const { nth: _, ...kind } = fault as FaultRecord;
    const key = `${each.lane} ${each.state} ${JSON.stringify(kind)}`;
    kinds.set(key, [...(kinds.get(key) ?? []), each]);
  }
  return [...kinds.values()].flatMap((same) =>
    same.length <= 3 ? same : [...same.slice(0, 2), ...same.slice(-1)],
  );
}

export function pairCount(cases: readonly FaultCase[]): number {
  return (cases.length * (cases.length - 1)) / 2;
}

/** The pairs have the earlier fault first. */
export function* pairsOf(cases: readonly FaultCase[]): IterableIterator<FaultCase> {
  for (const [index, first] of cases.entries()) {
    for (const second of cases.slice(index + 1)) {
      yield { ...first, faults: [...first.faults, ...second.faults] };
    }
  }
}

/** An ioctl that the model cannot fail at a step of its own is refused as it begins. */
function refusals(trace: readonly TraceEvent[]): RehearsalFault[] {
  return numbered(trace).flatMap(({ at, nth, points }) =>
    points > 0 || at === 'KVM_RUN' ? [] : [{ at, errno: refusalOf(at), ...nthOf(nth) }],
  ) as RehearsalFault[];
}

/** The kernel answers so for want of memory, or to a fatal signal where it only waits for a lock. */
function refusalOf(at: RequestName): ErrnoName {
  return at.startsWith('KVM_TDX') || at === 'KVM_ENABLE_CAP' ? 'EINTR' : 'ENOMEM';
}

/** A second orchestrator takes every slot that is left just before one of ours is wanted. */
const wantsSlot: ReadonlySet<RequestName> = new Set(['KVM_CREATE_VM', 'KVM_ENABLE_CAP']);

function races(trace: readonly TraceEvent[]): RehearsalFault[] {
  return numbered(trace)
    .filter(({ at }) => wantsSlot.has(at))
    .map(
      ({ at, nth }) =>
        ({
          at,
          event: { kind: 'foreign-tds', change: 999_999_999 },
          ...nthOf(nth),
        }) as RehearsalFault,
    );
}

function deaths(trace: readonly TracedCall[]): RehearsalFault[] {
  return numbered(trace.map(({ call }) => call)).flatMap(({ at, nth, index }) => {
    if (at === 'KVM_RUN') return [];
    const who: readonly Who[] = isOfMove(trace[index])
      ? ['tdctl', 'source', 'destination']
      : ['tdctl'];
    return who.map((dies) => ({ at, dies, ...nthOf(nth) }));
  });
}

const ofDestination: TdState = 'preparing';

/** The lane of a move tells it; the VM that it prepares is told by its state. */
function isOfMove(call: TracedCall | undefined): boolean {
  return (
    call !== undefined && (call.lane.includes(' move ') || call.state.startsWith(ofDestination))
  );
}

interface NumberedIoctl {
  readonly at: RequestName;
  /** The how-manieth call of this request it is, from 1. */
  readonly nth: number;
  readonly index: number;
  readonly points: number;
}

function numbered(trace: readonly TraceEvent[]): NumberedIoctl[] {
  const counts = new Map<string, number>();
  return trace.flatMap((event, index) => {
    if (event.kind !== 'ioctl') return [];
    const at = event.request.request;
    if (at === 'unknown ioctl') return [];
    const nth = (counts.get(at) ?? 0) + 1;
    counts.set(at, nth);
    return [{ at, nth, index, points: event.points.length }];
  });
}

interface Place {
  readonly call: TraceEvent;
  readonly lane: string;
  readonly state: TracedCall['state'];
  readonly order: number;
}

/** The step in which each call was made. Calls are counted as the injector counts them. */
function placesOf(trace: readonly TracedCall[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const counts = new Map<string, number>();
  for (const [order, { call, lane, state }] of trace.entries()) {
    for (const at of placesIn(call)) {
      const nth = (counts.get(at) ?? 0) + 1;
      counts.set(at, nth);
      places.set(`${at}#${nth}`, { call, lane, state, order });
    }
  }
  return places;
}

function placesIn(call: TraceEvent): readonly string[] {
  if (call.kind === 'seamcall') return [call.leaf];
  return call.kind === 'ioctl' ? [call.request.request, ...call.points] : [];
}

function placeOf(places: ReadonlyMap<string, Place>, fault: RehearsalFault): Place {
  const place = places.get(placeKey(fault));
  if (place === undefined) throw new Error(`no call of the run is ${placeKey(fault)}`);
  return place;
}

function placeKey({ at, nth = 1 }: RehearsalFault): string {
  return `${at}#${nth}`;
}

/** The index of the call that the fault was at; undefined: the run never came to it. */
export function callOf(trace: readonly TracedCall[], fault: RehearsalFault): number | undefined {
  return placesOf(trace).get(placeKey(fault))?.order;
}

function nthOf(nth: number): { nth?: number } {
  return nth === 1 ? {} : { nth };
}
