/** A keeper that takes a TD over from the one that has it: it conducts the move, and then keeps the TD as any other. */
import { setTimeout as delay } from 'node:timers/promises';
import { intraHostMigration } from '../../../../machines/intra-host-migration/index.ts';
import { hasTag } from '../../../../machines/state-id.ts';
import { wordsOf } from '../../../diagnosis/refusals.ts';
import { reopenToAppend } from '../../../files/reopen.ts';
import { clockOf } from '../../../host/clock.ts';
import { type KeeperServer, serveKeeper } from '../../../keeper/api/server.ts';
import type { KeeperFaults } from '../../../keeper/faults.ts';
import { type Kept, keep } from '../../../keeper/keep.ts';
import { keeperLog } from '../../../keeper/keeper-log.ts';
import { beginNextLife, type NextLife } from '../../../keeper/life.ts';
import { usualPatienceMs } from '../../../keeper/move/door.ts';
import { clearNext, type NextTd, ownNext } from '../../../keeper/move/next-directory.ts';
import { passesConsoleSince } from '../../../keeper/move/protocol.ts';
import { RemoteSource } from '../../../keeper/move/remote-source.ts';
import type { MoveReport } from '../../../keeper/move/report.ts';
import { warmUp } from '../../../keeper/move/warm-up.ts';
import { outlookOn } from '../../../keeper/outlook.ts';
import type { Progress } from '../../../keeper/progress.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import { openStateDirectory, type StateDirectory } from '../../../keeper/state-directory.ts';
import type { ServiceManager } from '../../../keeper/systemd/notify.ts';
import type { OwnedTd } from '../../../keeper/td-directory.ts';
import {
  type MigrationRunEvent,
  startTd,
  type TdRun,
  type TdRunOptions,
} from '../../../orchestrator/index.ts';
import { startMigration } from '../../../orchestrator/migration/index.ts';
import { processIo } from '../../io.ts';
import { throwFailure } from '../../run/outcome.ts';
import { eventInWords, stepFailure } from '../../words.ts';
import { companionsOf, ownManager } from '../companions.ts';
import { hostAsNamed, identityOf } from '../keeper-identity.ts';
import { type OpenedTd, openTd } from '../open-td.ts';
import type { StopRequest } from '../stop-request.ts';
import { Blackout } from './blackout.ts';
import { bringVm } from './bring-vm.ts';
import { MovedConsole } from './moved-console.ts';
import { type NextInUnit, nextInUnit } from './next-in-unit.ts';
import { type Reached, reachSource } from './reach-source.ts';
import { isMoving, keepsItsSocket, lost, otherwisePlanned } from './refusals.ts';
import { TypedAhead } from './typed-ahead.ts';

/** So soon is tried again what could not be written. */
const tryAgainMs = 1000;

export interface Receiving {
  readonly request: KeepRequest;
  readonly faults: KeeperFaults;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly stop: StopRequest;
}

/** @throws TdctlError where the TD has not come here, or what it has ended with since. */
export async function receiveTd(receiving: Receiving): Promise<void> {
  const { request, faults, env } = receiving;
  const state = await openStateDirectory(env, { create: false });
  const keeper = identityOf(request);
  const { beforeWrite } = faults;
  const next = await ownNext(state, request.name, { keeper, beforeWrite });
  if (next === undefined) throw isMoving(request.name);
  try {
    const typed = new TypedAhead();
    const source = await reachSource(state, request.name, { self: keeper, typed: typed.take });
    try {
      await receiveFrom(source, { ...receiving, state, next, typed });
    } finally {
      source.peer.close();
    }
  } finally {
    next.end();
  }
}

interface AtSource extends Receiving {
  readonly state: StateDirectory;
  readonly next: NextTd;
  readonly typed: TypedAhead;
}

async function receiveFrom(source: Reached, receiving: AtSource): Promise<void> {
  const { request, next, faults, progress } = receiving;
  for (const fd of [1, 2]) reopenToAppend(fd, next.files.log);
  const { name, host } = request;
  const life = beginNextLife(next, {
    ...{ name, faults, number: source.stands.life + 1, host: hostAsNamed(host) },
    keeper: identityOf(request),
    onTrouble: (error) => keeperLog(`${error.place}: ${error.message}; the TD is kept on`),
  });
  try {
    progress.tell({ owns: { directory: next.files.directory, life: life.number } });
    const opened = await openTd(request, processIo());
    try {
      const differences = otherwisePlanned(source.stands.shape, opened.plan);
      if (differences !== undefined) throw differences;
      if (opened.wanted.socket !== undefined && source.version < passesConsoleSince) {
        throw keepsItsSocket(name, source.keeper.tdctl);
      }
      await warmUp(opened.plan).catch(keeperLog);
      await new Conducting(source, { ...receiving, ...opened, life }).conduct();
    } finally {
      await opened.host.close();
    }
  } finally {
    life.close();
  }
}

class Conducting {
  readonly #source: Reached;
  readonly #with: AtSource & OpenedTd & { readonly life: NextLife };
  readonly #blackout = new Blackout();
  readonly #console: MovedConsole;
  readonly #manager: ServiceManager;
  /** The one after this. */
  readonly #next: NextInUnit | undefined;
  #isBlackout = false;
  /** Nobody is told of anything while no vCPU runs. */
  readonly #untold: MigrationRunEvent[] = [];
  #kept: Kept | undefined;
  #main: OwnedTd | undefined;
  #server: KeeperServer | undefined;

  constructor(source: Reached, given: AtSource & OpenedTd & { readonly life: NextLife }) {
    this.#source = source;
    this.#with = given;
    const { wanted, typed, env, request } = given;
    this.#console = new MovedConsole(wanted, typed);
    this.#manager = ownManager(env, keeperLog);
    this.#next = nextInUnit({ request, env, manager: this.#manager });
  }

  async conduct(): Promise<void> {
    const { plan, host, life, next, progress, stop } = this.#with;
    const source = new RemoteSource({
      ...this.#source,
      ...{ plan, now: clockOf(host), takeOver: () => this.#takeOver() },
      patienceMs: this.#with.faults.patienceMs ?? usualPatienceMs,
      onAsked: () => {
        life.goOn();
        life.hold();
      },
      bringVm: () => bringVm({ host, plan, nextSocket: next.files.nextSocket, ...this.#source }),
    });
    let isWritten = false;
    const migration = startMigration({
      ...{ source, host, destinationPlan: plan, tellsRequests: false },
      checks: this.#with.faults.checks,
      onEvent: (event) => this.#tell(event),
      onDestinationEvent: () => {},
      aroundStep: (step, run) => {
        const intent = { kind: 'begins', step } as const;
        // Before it everything can be taken back, and after it nothing.
        if (step !== 'moving') life.journaling.note(intent);
        else if (!isWritten) life.journaling.takes(intent);
        // It may have been done before the chart comes to it.
        isWritten ||= step === 'moving';
        return run();
      },
      startTd: (options) => this.#keep((own) => startTd({ ...options, ...own })),
    });
    stop.cancels(() => migration.cancel());
    try {
      const { verdict, error, leftovers } = await migration.ended;
      if (verdict === 'sourceKept' || verdict === 'lost') {
        const why = error === null ? undefined : stepFailure(wordsOf(error, plan.facts));
        throw verdict === 'lost' ? lost(this.#source, why) : (why ?? lost(this.#source, why));
      }
      const report: MoveReport = {
        verdict,
        ...this.#keepers,
        blackoutMs: this.#blackout.ms(source.parkedNs, migration.destination),
        blackoutParts: this.#blackout.parts(migration.crossing),
        error: error && wordsOf(error, plan.facts),
        leftovers: leftovers.map((leftover) => wordsOf(leftover, plan.facts)),
      };
      this.#noteArrival(report);
      this.#console.followFiles(this.#source.keeper);
      if (this.#server !== undefined) next.end();
      progress.tell({ reached: 'moved', report });
      progress.end();
      if (source.stopAsked) this.#kept?.run.stop();
      await this.#reachable();
      await this.#answer();
    } finally {
      await source.leave();
      await this.#server?.close();
      await this.#console.end();
      this.#main?.release();
    }
  }

  get #keepers(): Pick<MoveReport, 'fromKeeper' | 'toKeeper'> {
    const { pid, tdctl } = this.#source.keeper;
    const own = this.#with.life.keeper;
    return { fromKeeper: { pid, tdctl }, toKeeper: { pid: own.pid, tdctl: own.tdctl } };
  }

  #tell(event: MigrationRunEvent): void {
    const { plan, progress, life } = this.#with;
    if (event.event === 'state.entered') {
      const isBlackout = hasTag(intraHostMigration, event.state, 'blackout');
      this.#blackout.enters(event.state, isBlackout);
      this.#isBlackout = isBlackout;
      if (isBlackout) life.hold();
      else life.goOn();
    }
    this.#untold.push(event);
    if (this.#isBlackout) return;
    for (const untold of this.#untold.splice(0)) {
      progress.tell({ move: eventInWords(untold, plan.facts) as never });
    }
  }

  #keep(begin: (options: TdRunOptions) => TdRun): TdRun {
    let run: TdRun | undefined;
    const start = (options: TdRunOptions) => {
      run = begin(options);
      return run;
    };
    const { host, plan, life, state, next, request, faults } = this.#with;
    this.#kept = keep({
      ...{ host, plan, life, start, tellsRequests: false, patienceMs: faults.patienceMs },
      console: { console: this.#console.print, debugConsole: () => {} },
      consoleSocket: () => this.#console.socket,
      beginNext: this.#next?.begin,
      directory: {
        release: () => this.#main?.release(),
        nextSocket: next.files.nextSocket,
        clearNext: (of) => clearNext(next.files, of),
      },
      inWords: (event) => eventInWords(event, plan.facts),
      outlook: (td) => outlookOn(state, td),
      companions: companionsOf({
        ...{ state, life, host, plan, manager: this.#manager, request, log: keeperLog },
        onPlace: () => {},
      }),
    });
    const { input } = this.#kept.surface.console;
    this.#with.typed.goesTo(input);
    if (run === undefined) throw new Error('the run was not begun');
    return run;
  }

  /** The keeper before has let go, or is dead: from now on this one is found, and asked. */
  async #takeOver(): Promise<void> {
    const { next, life, stop, faults } = this.#with;
    if (this.#kept === undefined) throw new Error('nothing is kept yet');
    const main = this.#main ?? (await next.takeMain(faults.patienceMs ?? usualPatienceMs));
    this.#main = main;
    life.takeOver(main);
    this.#manager.takesOver();
    const { surface } = this.#kept;
    const socketPath = main.files.socket;
    this.#server = await serveKeeper({ surface, socketPath, onDefect: keeperLog });
    stop.stops(surface);
    await this.#console.takeSocket({
      ...{ peer: this.#source.peer, path: next.files.nextSocket },
      deadlineMs: faults.patienceMs ?? usualPatienceMs,
    });
  }

  /** A TD that could not be written down as this keeper's, as on a full disk, runs on, and it is tried again. */
  async #reachable(): Promise<void> {
    let isOver = false;
    void this.#kept?.ended.finally(() => {
      isOver = true;
    });
    while (this.#server === undefined && !isOver) {
      await delay(tryAgainMs);
      await this.#takeOver().catch(keeperLog);
    }
  }

  #noteArrival({ blackoutMs, fromKeeper: other, error }: MoveReport): void {
    const { journaling } = this.#with.life;
    const why = error?.message ?? null;
    journaling.note({ kind: 'move', stage: 'arrived', other, blackoutMs, why }, { flush: true });
  }

  /** As any keeper does, until the TD is over. */
  async #answer(): Promise<void> {
    const { plan } = this.#with;
    const output = await this.#kept?.ended;
    await this.#next?.settled();
    if (output !== undefined) throwFailure(output, plan.facts);
  }
}
