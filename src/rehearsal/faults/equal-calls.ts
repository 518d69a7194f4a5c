/**
 * Faults of calls that differ in nothing but the page they are for. A TD has thousands of them, and what
 * comes of one is what comes of the others, so a few are played for all (`playEqual`).
 */
import type { SeamcallName } from '../../abi/tdx/seamcalls.ts';
import type { FaultRecord, TraceEvent } from '../../simulator/index.ts';
import type { FaultCase, SingleFault } from './cases.ts';

/** Operands of a leaf that say which page, and what is in it: the same leaf is called for page after page. */
const pageOperands: Readonly<Partial<Record<SeamcallName, readonly string[]>>> = {
  'TDH.MNG.ADDCX': ['rcx'],
  'TDH.VP.ADDCX': ['rcx'],
  'TDH.MEM.SEPT.ADD': ['rcx', 'r8'],
  'TDH.MEM.PAGE.ADD': ['rcx', 'r8', 'r9'],
  'TDH.MEM.PAGE.AUG': ['rcx', 'r8'],
  'TDH.MR.EXTEND': ['rcx'],
  'TDH.MEM.RANGE.BLOCK': ['rcx'],
  'TDH.MEM.PAGE.REMOVE': ['rcx'],
  'TDH.PHYMEM.PAGE.RECLAIM': ['rcx'],
  'TDH.PHYMEM.PAGE.WBINVD': ['rcx'],
  'TDH.PHYMEM.PAMT.ADD': ['rcx', 'rdx', 'r8'],
  'TDH.PHYMEM.PAMT.REMOVE': ['rcx'],
};

/** Each case with those that are equal to it and come later, in the order of their first ones. */
export function collapsed(cases: readonly SingleFault[]): FaultCase[] {
  const groups = new Map<string, SingleFault[]>();
  for (const [index, each] of cases.entries()) {
    const key = keyOf(each) ?? String(index);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()].flatMap(([first, ...equal]) =>
    first === undefined ? [] : [{ ...first, equal }],
  );
}

/** Equal cases have one key; undefined where the call has no equal. */
function keyOf({ faults: [fault], lane, state, call }: SingleFault): string | undefined {
  const args = argsButPages(call);
  if (args === undefined || fault === undefined) return undefined;
  // A signal before another page is the same signal.
  const {
    nth: _,
    signalBeforePage: __,
    ...kind
  } = fault as FaultRecord & {
    readonly signalBeforePage?: number;
  };
  return JSON.stringify([lane, state, kind, 'signalBeforePage' in fault, args]);
}

/** Of ioctls only this one is made for pages; the others differ in more, or are made once. */
function argsButPages(call: TraceEvent): unknown {
  if (call.kind === 'ioctl') {
    return call.request.request === 'KVM_TDX_INIT_MEM_REGION' ? [] : undefined;
  }
  if (call.kind !== 'seamcall') return undefined;
  const pages = pageOperands[call.leaf] ?? [];
  return Object.entries(call.operands)
    .filter(([name]) => !pages.includes(name))
    .map(([name, value]) => [name, JSON.stringify(value, bigIntsAsText)]);
}

function bigIntsAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** One played case, and so many others that it stands for, itself among them. */
export interface Representative<Played> {
  readonly faultCase: FaultCase;
  readonly played: Played;
  readonly standsFor: number;
}

/** So many of a group are played at the least. */
export function leastPlayed({ equal = [] }: FaultCase): number {
  return Math.min(3, 1 + equal.length);
}

/**
 * Plays the first, the one in the middle and the last. Where two of them come to different things, one
 * between them is played, until the calls at which it changes are found. Each run stands for those
 * up to the next.
 *
 * @param play gives undefined once no more shall be played
 */
export async function playEqual<Played>(
  { equal = [], ...first }: FaultCase,
  options: {
    readonly play: (faultCase: FaultCase) => Promise<Played | undefined>;
    readonly isSame: (one: Played, other: Played) => boolean;
  },
): Promise<Representative<Played>[]> {
  const group: readonly FaultCase[] = [first, ...equal];
  const found = new Map<number, Played>();
  /** Fills in what lies between two that were played; false once no more are played. */
  const fill = async (from: number, to: number): Promise<boolean> => {
    const [one, other] = [found.get(from), found.get(to)];
    if (to - from < 2 || one === undefined || other === undefined) return true;
    if (options.isSame(one, other)) return true;
    return playAt(Math.floor((from + to) / 2), { from, to });
  };
  const playAt = async (at: number, span?: { from: number; to: number }): Promise<boolean> => {
    const faultCase = group[at];
    if (faultCase === undefined) return true;
    if (!found.has(at)) {
      const played = await options.play(faultCase);
      if (played === undefined) return false;
      found.set(at, played);
    }
    if (span === undefined) return true;
    return (await fill(span.from, at)) && (await fill(at, span.to));
  };
  const last = group.length - 1;
  const whole =
    (await playAt(0)) &&
    (await playAt(last)) &&
    (await playAt(Math.floor(last / 2), { from: 0, to: last }));
  const inOrder = [...found].sort(([a], [b]) => a - b);
  return inOrder.flatMap(([at, played], index) => {
    const faultCase = group[at];
    const next = inOrder[index + 1]?.[0] ?? at + 1;
    // What was cut short says nothing of the calls that were not played.
    return faultCase === undefined ? [] : [{ faultCase, played, standsFor: whole ? next - at : 1 }];
  });
}
