/** What a run of a VMM holds, and what the VMM has told of its guest. */

import type { VmmTdStateId } from '../../../machines/vmm-td/index.ts';
import { sanitize } from '../../errors/sanitize.ts';
import { BoundedLog } from '../../files/bounded-log.ts';
import type { KeySlots } from '../../host/facts.ts';
import type { AroundStep, RequestCounter, TdEventBody } from '../../orchestrator/index.ts';
import type { VmmCommand, VmmPlaces } from '../command-line/index.ts';
import {
  type Asked,
  type Monitor,
  MonitorClosed,
  openMonitor,
  type QmpEvent,
} from '../qmp/index.ts';
import { VmmConsole } from './console.ts';
import { launchProcess, type StartProgram, type VmmProcess } from './process.ts';
import { Resets } from './resets.ts';

export interface VmmSessionOptions {
  readonly command: VmmCommand;
  readonly places: VmmPlaces;
  /** What the VMM says on its standard error. */
  readonly stderrPath: string;
  readonly onPanic: 'stop' | 'keep';
  readonly keySlots: () => Promise<KeySlots | undefined>;
  readonly publish: (body: TdEventBody) => void;
  readonly now: () => number;
  readonly aroundStep: AroundStep;
  readonly requests: RequestCounter;
  /** Writes down which process gets the TD, before that begins. */
  readonly onProcess: (pid: number) => void;
  readonly startProgram?: StartProgram | undefined;
  /** The vCPUs were stopped, or resumed, by somebody else. */
  readonly onChange: (type: 'vmm.stopped' | 'vmm.resumed') => void;
}

/** Why the guest, or the VMM under it, has come to its end. */
export type ToldEnd =
  | { readonly kind: 'shutdown'; readonly reason: string }
  | { readonly kind: 'panic'; readonly text: string; readonly code: number }
  /** The guest has reported a fatal error in a way that QEMU does not take, or KVM_RUN has failed. */
  | { readonly kind: 'internalError' };

/** A VMM that is found, with its monitor. */
export interface AttachedVmm {
  readonly process: VmmProcess;
  readonly monitor: Monitor;
  /** From now on that listener hears of its events, those first that have come meanwhile. */
  hearsBy(listener: (event: QmpEvent) => void): void;
}

const stderrBytes = { keptBytes: 64 * 1024, mostBytes: 256 * 1024 };
const lookAtStderrMs = 200;
const connectMs = 60_000;
/** How long a question may take to a main loop that may be busy with a disk. */
export const usualMs = 5000;

export class VmmSession {
  readonly options: VmmSessionOptions;
  skipped?: boolean;
  readonly resets = new Resets();
  process: VmmProcess | undefined;
  monitor: Monitor | undefined;
  console: VmmConsole | undefined;
  /** In which state of the chart it is: what the VMM tells means another thing in each. */
  #state: VmmTdStateId = 'absent';
  /** It has stopped a guest of which the chart does not know yet that it runs: just let run, or found so. */
  #stoppedEarly = false;
  isBuilding = false;
  slotsBefore: KeySlots | undefined;
  /** What is waited for at this moment, in words. */
  waitingFor: string | undefined;
  told: ToldEnd | undefined;
  #stderr: BoundedLog | undefined;
  #bounding: NodeJS.Timeout | undefined;
  #over: { readonly promise: Promise<void>; readonly resolve: () => void } = promised();

  constructor(options: VmmSessionOptions) {
    this.options = options;
  }

  get now() {
    return this.options.now;
  }

  get aroundStep() {
    return this.options.aroundStep;
  }

  get publish() {
    return this.options.publish;
  }

  get requests() {
    return this.options.requests;
  }

  /** Resolves once the process has ended, or its guest in a way that leaves the process. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get stderr(): string {
    return this.#stderr?.tail().toString('utf8') ?? '';
  }

  /**
   * A VMM and what it tells are forgotten with its end.
   *
   * @param check is called before anything is begun; what it throws keeps it from that.
   */
  async launch(check: () => void): Promise<void> {
    this.told = undefined;
    this.isBuilding = false;
    this.#over = promised();
    this.#follow({ isNew: true });
    const { command, places, onProcess, startProgram: start } = this.options;
    const stderr = this.#stderr?.fd ?? 2;
    const noted = (pid: number) => {
      check();
      onProcess(pid);
    };
    this.#has(
      await launchProcess({ command, cwd: places.directory, stderr, onProcess: noted, start }),
    );
  }

  adopt({ process, monitor, hearsBy }: AttachedVmm): void {
    this.#follow({ isNew: false });
    this.#has(process);
    this.#hears(monitor);
    hearsBy((event) => this.heard(event));
  }

  /** @throws what the connection comes to. */
  async connect(): Promise<void> {
    const ended = new AbortController();
    void this.process?.ended.then(() => ended.abort());
    const { monitor: path } = this.options.places;
    this.#hears(
      await openMonitor({
        ...{ path, deadlineMs: connectMs, signal: ended.signal },
        onEvent: (event) => this.heard(event),
      }),
    );
  }

  connectConsole(): Promise<void> {
    this.console = new VmmConsole(this.options.places.console);
    return this.console.connect();
  }

  /** @throws MonitorSilent, MonitorRefused, MonitorClosed. */
  async ask(command: string, asked: Partial<Asked> = {}): Promise<unknown> {
    if (this.monitor === undefined) throw new MonitorClosed('there is no connection to it');
    try {
      const answer = await this.monitor.execute(command, { deadlineMs: usualMs, ...asked });
      this.requests.add(command, 'ok');
      return answer;
    } catch (error) {
      this.requests.add(command, (error as Error).constructor.name);
      throw error;
    }
  }

  async status(): Promise<string> {
    const answer = (await this.ask('query-status')) as { readonly status?: unknown };
    return String(answer.status);
  }

  enters(state: VmmTdStateId): void {
    this.#state = state;
    if (state === 'running' && this.#stoppedEarly) void this.#stopped();
    this.#stoppedEarly = false;
  }

  heard({ event, data }: QmpEvent): void {
    switch (event) {
      case 'SHUTDOWN':
        this.#tells({ kind: 'shutdown', reason: String(data.reason) });
        break;
      case 'GUEST_PANICKED':
        this.#panicked(data);
        break;
      case 'STOP':
        if (this.#state === 'running') void this.#stopped();
        this.#stoppedEarly = this.#state !== 'running';
        break;
      case 'RESUME':
        this.#stoppedEarly = false;
        if (this.#state === 'paused' || this.#state === 'runnable') {
          this.options.onChange('vmm.resumed');
        }
        break;
    }
  }

  /** Lets go of all but the process. */
  close(): void {
    this.monitor?.close();
    this.console?.close();
    this.monitor = undefined;
    this.console = undefined;
    clearInterval(this.#bounding);
    this.#stderr?.close();
    this.#stderr = undefined;
  }

  #follow({ isNew }: { readonly isNew: boolean }): void {
    this.close();
    const file = { path: this.options.stderrPath, what: 'log of QEMU' };
    this.#stderr = new BoundedLog(file, { ...stderrBytes, isNew });
    this.#bounding = setInterval(() => this.#stderr?.bound(), lookAtStderrMs).unref();
  }

  #has(process: VmmProcess): void {
    this.process = process;
    const { resolve } = this.#over;
    const isOver = () => {
      this.#stderr?.bound();
      resolve();
    };
    process.ended.then(isOver, isOver);
  }

  #hears(monitor: Monitor): void {
    this.monitor = monitor;
    const { process } = this;
    void monitor.closed.then(({ message }) => {
      if (this.monitor !== monitor || this.told !== undefined) return;
      // The monitor of a process that ends is gone a little before it.
      setTimeout(() => {
        if (process?.exit !== undefined || this.monitor !== monitor) return;
        this.publish({
          event: 'td.warning',
          message: `the monitor of QEMU is lost: ${message}; the TD runs on, and can be stopped, but not paused`,
        });
      }, usualMs).unref();
    });
  }

  #tells(end: ToldEnd): void {
    // A panic comes first, and says more than the shutdown that follows.
    this.told ??= end;
  }

  #panicked({ info, action }: QmpEvent['data']): void {
    const { message = '', 'error-code': code = 0 } = (info ?? {}) as Readonly<
      Record<string, unknown>
    >;
    const text = sanitize(String(message).trim());
    this.#tells({ kind: 'panic', text, code: Number(code) });
    const errorCode = `0x${Number(code).toString(16)}`;
    this.publish({ event: 'guest.panicked', text, errorCode });
    if (action === 'pause') this.#standsStill();
  }

  /** The VMM has stopped the vCPUs for a reason of its own, or somebody at another monitor has. */
  async #stopped(): Promise<void> {
    const status = await this.status().catch(() => undefined);
    if (this.#state !== 'running' || this.told?.kind === 'shutdown') return;
    if (status === 'internal-error' || status === 'guest-panicked') {
      this.#tells({ kind: 'internalError' });
      this.#standsStill();
    } else if (status !== undefined && status !== 'running' && status !== 'shutdown') {
      if (status !== 'paused') {
        const message = `QEMU has stopped the guest by itself: its status is ${status}`;
        this.publish({ event: 'td.warning', message });
      }
      this.options.onChange('vmm.stopped');
    }
  }

  #standsStill(): void {
    if (this.options.onPanic === 'keep') this.options.onChange('vmm.stopped');
    else this.#over.resolve();
  }
}

/** Node 20 lacks Promise.withResolvers. */
function promised() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
