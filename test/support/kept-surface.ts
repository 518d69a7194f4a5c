/** What the API of a keeper is served over, made of a real run on a simulated host. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TdEvent } from '../../machines/td-lifecycle/events.ts';
import { eventInWords } from '../../src/cli/words.ts';
import { TdctlError } from '../../src/errors/index.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';
import type { Acted, AskedBy, KeptSurface, Peer } from '../../src/keeper/api/surface.ts';
import { Tally } from '../../src/keeper/api/tally.ts';
import type { KeptVerb } from '../../src/keeper/api/verbs.ts';
import { keptStateOf } from '../../src/keeper/chart-state.ts';
import { ConsoleLog } from '../../src/keeper/console-log.ts';
import { ownIdentity } from '../../src/keeper/identity.ts';
import type { JournalBody } from '../../src/keeper/journal/records.ts';
import type { KeptTd } from '../../src/keeper/kept-td.ts';
import { momentNow } from '../../src/keeper/moment.ts';
import { isTold, toldFeed } from '../../src/keeper/told.ts';
import { startTd, type TdRun } from '../../src/orchestrator/index.ts';
import { planTd } from '../../src/plan/index.ts';
import { askHost } from '../../src/plan/judge/index.ts';
import { injectorOf, parseFault } from '../../src/simulator/index.ts';
import { firmware, profile, spec } from './hello-plan.ts';

export interface KeptForTest extends KeptSurface {
  readonly run: TdRun;
  readonly socketPath: string;
  readonly log: ConsoleLog;
  readonly typed: Buffer[];
  readonly turnedAway: Peer[];
  consoleReaders(): number;
  note(body: JournalBody): void;
  end(): Promise<void>;
}

/** The event that each verb sends, and where it leads. */
const verbs = {
  start: { event: { type: 'td.start' }, to: 'running' },
  pause: { event: { type: 'td.pause' }, to: 'paused' },
  resume: { event: { type: 'td.resume' }, to: 'running' },
  stop: { event: { type: 'td.stop' }, to: undefined },
  kill: { event: { type: 'td.stop' }, to: undefined },
} as const satisfies Record<KeptVerb, { event: TdEvent; to: string | undefined }>;

interface Options {
  readonly directory?: string;
  readonly faults?: readonly string[];
  /** The journal of a life begins anywhere. */
  readonly firstSeq?: number;
  readonly mostRecords?: number | undefined;
}

export async function keptForTest(options: Options = {}): Promise<KeptForTest> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'tk-'));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const faults = (options.faults ?? []).map((text) => {
    const fault = parseFault(text);
    if ('problem' in fault) throw new Error(fault.problem);
    return fault;
  });
  const host = openSimulatedHost({ profile, faults: injectorOf(faults) });
  const facts = await host.facts();
  const plan = planTd({ spec, firmware, host: await askHost(host) });
  const identity = ownIdentity({ tdctl: '0.1.0', chartVersion: 3 });
  const feed = toldFeed({ most: options.mostRecords });
  const tally = new Tally();
  let seq = (options.firstSeq ?? 1) - 1;
  let since = momentNow();
  const note = (body: JournalBody) => {
    seq += 1;
    const record = { seq, ...momentNow(), ...body };
    if (isTold(record)) feed.publish(record, seq);
  };
  const log = new ConsoleLog({
    path: join(directory, 'console.log'),
    beforeWrite: () => undefined,
    onTrouble: (error) => {
      throw error;
    },
  });
  const typed: Buffer[] = [];
  const turnedAway: Peer[] = [];
  const readers = new Set<() => void>();
  note({ kind: 'keeper', identity, life: 1 });
  const run = startTd({
    host,
    plan,
    tellsRequests: false,
    onEvent: (event) => {
      const told = eventInWords(event, facts);
      tally.take(told);
      if (event.event === 'state.entered') since = momentNow();
      note({ kind: 'event', told });
    },
  });
  const td = async (): Promise<KeptTd> => ({
    name: spec.name,
    labels: { tier: 'web' },
    state: keptStateOf(run.state),
    chartState: run.state,
    since: since.at,
    sinceMs: momentNow().uptimeMs - since.uptimeMs,
    createdAt: identity.startedAt,
    life: 1,
    host: { name: facts.name, simulated: true },
    kernel: { id: facts.kernel.rules },
    vcpus: plan.vcpuIds.length,
    memoryBytes: Number(spec.memoryBytes),
    holdsKeySlot: run.context.holdsKeySlot,
    mrtd: run.context.mrtd,
    error: null,
    notes: [],
    keeper: {
      pid: identity.pid,
      tdctl: identity.tdctl,
      api: identity.api,
      startedAt: identity.startedAt,
      unit: null,
      lives: true,
    },
    queue: null,
    leftMs: null,
  });
  async function act(verb: KeptVerb, { by }: AskedBy): Promise<Acted> {
    note({ kind: 'asked', verb, peer: by ?? null });
    const { event, to } = verbs[verb];
    if (to !== undefined && run.isIn(to)) return { td: await td(), changed: false };
    if (!run.send(event)) {
      throw new TdctlError({
        code: 'TDCTL_E_CONFLICT',
        op: `${verb} a TD`,
        message: `a TD that is ${run.state} takes no ${verb}`,
        hint: 'see `tdctl show`',
      });
    }
    if (to !== undefined) await run.reaches(to);
    return { td: await td(), changed: true };
  }
  await run.runnable;
  return {
    run,
    socketPath: join(directory, 'control.sock'),
    log,
    typed,
    turnedAway,
    consoleReaders: () => readers.size,
    note,
    name: spec.name,
    identity,
    td,
    act,
    feed,
    beginNext: undefined,
    move: {
      check: () => {},
      checkHere: () => {},
      settled: async () => {},
      typed: () => undefined,
      hasLeft: false,
      open: () => ({ end: async () => {} }),
    },
    refused: (by) => {
      turnedAway.push(by);
      note({ kind: 'refused', peer: by });
    },
    console: {
      path: log.path,
      goesOn: false,
      get sizeBytes() {
        return log.sizeBytes;
      },
      subscribe: (listener) => {
        const leave = log.subscribe(listener);
        readers.add(leave);
        return () => {
          readers.delete(leave);
          leave();
        };
      },
      input: (bytes) => {
        typed.push(Buffer.from(bytes));
        return run.input(bytes);
      },
    },
    metrics: () => ({
      ...tally.counted(),
      exits: run.exits,
      printedBytes: log.sizeBytes,
      typedBytes: typed.reduce((sum, each) => sum + each.length, 0),
    }),
    end: async () => {
      run.stop();
      await run.ended;
      log.close();
      await host.close();
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}
