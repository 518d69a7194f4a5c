/**
 * Plays a trace on a simulated machine, call by call, and reports what its kernel answers. The machine
 * stays where the program of the trace was: a call that the trace shows as refused is taken back if the
 * simulated kernel would have taken it, and what happened to the program for no fault of its own (a
 * signal, no memory, no entropy) is not played.
 */
import type { InitVmFacts } from '../../../abi/kvm/init-vm-rules.ts';
import {
  type Answer,
  type Caller,
  createSimulatedHost,
  type GuestEvent,
  type Handle,
  type HostProfile,
  initVmFacts,
  type KernelAbi,
  type RunPageInput,
  type SimulatedMachine,
  type UserBytes,
} from '../../../simulator/index.ts';
import { outcomeOf } from '../../describe.ts';
import type { CallOutcome, CallRecord } from '../../record.ts';
import { isCircumstance } from '../circumstances.ts';
import { isCall, madeBy, succeeded, type TracedCall, type TracedStep } from '../traced.ts';
import { assumedArgs } from './assumed-args.ts';
import { CallArgs } from './call-args.ts';
import { initVmStruct, isReplayed, requestOf } from './requests.ts';

export interface ReplayOptions {
  readonly profile: HostProfile;
  readonly kernelAbi: KernelAbi;
}

/** Taking a call back means to begin again. A trace that needs that often is not worth the time. */
const mostRestarts = 8;
/** So many calls can be played again. A program with more of them open is followed as long as it is as expected. */
const mostAccepted = 1 << 15;
/** The limit is on guest memory, in pages, because each of them is measured as in a TD. */
const mostPages = 1 << 18;

export class Replay {
  readonly #options: ReplayOptions;
  #run: Run;
  /** The steps that made the machine what it is, in order; undefined where they were too many to keep. */
  #accepted: Set<TracedStep> | undefined = new Set();
  /** The same by the file that they made or were asked of. */
  readonly #acceptedOf = new Map<string, TracedStep[]>();
  readonly #ran = new Set<string>();
  #restarts = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#run = new Run(options);
  }

  /** @returns The answer of the simulated kernel, or undefined where it was not asked. */
  async play(step: TracedStep): Promise<CallOutcome | undefined> {
    const answer = await this.#run.play(step);
    if (answer === undefined || !isCall(step)) {
      if (!isCall(step)) this.#keep(step);
      return undefined;
    }
    if ('errno' in answer) {
      if (succeeded(step)) await this.#catchUp(step);
    } else if (succeeded(step)) {
      this.#keep(step);
    } else {
      await this.#takeBack();
    }
    return answer;
  }

  /**
   * The program went on from a call that this kernel refuses, so the call is made with arguments that
   * the kernel would take.
   */
  async #catchUp(step: TracedCall): Promise<void> {
    if (!forArguments.has(step.record.request)) return;
    const assumed: TracedCall = { ...step, argsUnknown: true };
    const answer = await this.#run.play(assumed);
    if (answer !== undefined && 'value' in answer) this.#keep(assumed);
  }

  /** Gives what KVM_TDX_INIT_VM looks at in a call, or undefined where the trace does not show it. */
  initVmFacts({ record }: TracedCall): InitVmFacts | undefined {
    const { profile } = this.#options;
    const struct = initVmStruct(new CallArgs(record.args));
    const { tdx } = this.#run;
    return struct && tdx && initVmFacts({ kernel: { profile }, tdx }, struct);
  }

  /** Becomes false, for good, when the machine is no longer where the program was. */
  get follows(): boolean {
    return this.#restarts <= mostRestarts;
  }

  /** Files that are gone, with all that held them, have left nothing behind in the machine. */
  forget(files: ReadonlySet<string>): void {
    for (const file of files) {
      this.#ran.delete(file);
      for (const step of this.#acceptedOf.get(file) ?? []) this.#accepted?.delete(step);
      this.#acceptedOf.delete(file);
    }
  }

  #keep(step: TracedStep): void {
    if (this.#accepted === undefined || this.#changesNothing(step)) return;
    this.#accepted.add(step);
    const file = madeBy(step) ?? fileOf(step) ?? '';
    const ofFile = this.#acceptedOf.get(file);
    if (ofFile === undefined) this.#acceptedOf.set(file, [step]);
    else ofFile.push(step);
    if (this.#accepted.size <= mostAccepted) return;
    this.#accepted = undefined;
    this.#acceptedOf.clear();
  }

  /** A machine that begins again need not be asked what it can, and a vCPU has run or has not. */
  #changesNothing({ record }: TracedStep): boolean {
    if (record.kind !== 'call') return false;
    const { request, object } = record;
    if (request !== 'KVM_RUN') return /^KVM_(GET_|CHECK_|TDX_CAPABILITIES|TDX_GET_)/.test(request);
    if (this.#ran.has(object)) return true;
    this.#ran.add(object);
    return false;
  }

  async #takeBack(): Promise<void> {
    this.#restarts += this.#accepted === undefined ? mostRestarts + 1 : 1;
    if (!this.follows || this.#accepted === undefined) return;
    this.#run = new Run(this.#options);
    for (const step of this.#accepted) await this.#run.play(step);
  }
}

function fileOf({ record }: TracedStep): string | undefined {
  return record.kind === 'call' || record.kind === 'close' ? record.object : undefined;
}

/** A run is one machine, from its start. */
class Run {
  readonly #machine: SimulatedMachine;
  readonly #handles = new Map<string, Handle>();
  /** The guest does this at its next entry. */
  #guestEvent: GuestEvent | 'runs on' = 'runs on';
  #pagesLeft = mostPages;

  constructor(options: ReplayOptions) {
    this.#machine = createSimulatedHost({
      ...options,
      guest: {
        run: () => {
          const event = this.#guestEvent;
          return event === 'runs on' ? new Promise(() => {}) : event;
        },
      },
    });
  }

  get tdx() {
    const { bringUp } = this.#machine;
    return bringUp.outcome === 'tdx' ? bringUp.tdx : undefined;
  }

  async play(step: TracedStep): Promise<CallOutcome | undefined> {
    const { record } = step;
    if (record.kind === 'end') return undefined;
    if (record.kind === 'close') {
      const handle = this.#handles.get(record.object);
      this.#handles.delete(record.object);
      if (handle !== undefined) this.#machine.release(handle);
      return undefined;
    }
    if (record.kind === 'open') {
      this.#keep(step, this.#machine.open());
      return undefined;
    }
    return this.#playCall(step as TracedCall);
  }

  async #playCall(step: TracedCall): Promise<CallOutcome | undefined> {
    const { outcome } = step.record;
    const record = step.argsUnknown ? assumedArgs(step.record) : step.record;
    const handle = this.#handleOf(step.record);
    if (record === undefined || handle === undefined || 'interrupted' in outcome) return undefined;
    if (record.request === 'KVM_RUN') return this.#playRun(record, handle);
    if (!isReplayed(record.request)) return undefined;
    const played = 'errno' in outcome && isCircumstance(outcome) ? partOf(record) : record;
    if (played === undefined || !this.#hasRoomFor(played)) return undefined;
    let lacks = false;
    const request = requestOf(played, {
      handleOf: (object) => this.#handles.get(object),
      lacks: () => {
        lacks = true;
      },
    });
    if (request === undefined) return undefined;
    const answer = this.#machine.ioctl(callerOf(record), handle, request);
    if (lacks) return step.argsUnknown ? undefined : this.#playCall({ ...step, argsUnknown: true });
    if (played !== record) return undefined;
    this.#keep(step, answer);
    // Nothing follows from a refusal of arguments that the replay made up.
    const isMadeUp = step.argsUnknown && (forArguments.has(record.request) || isCap(record));
    return isMadeUp && !answer.ok ? undefined : outcomeOf(answer);
  }

  async #playRun(record: CallRecord, handle: Handle): Promise<CallOutcome | undefined> {
    const { outcome } = record;
    if ('errno' in outcome && isCircumstance(outcome)) return undefined;
    const args = new CallArgs(record.args);
    this.#guestEvent = guestEventOf(args, outcome);
    const input: RunPageInput = {
      immediateExit: args.has('immediate_exit'),
      validRegs: args.big('valid_regs') ?? 0n,
      dirtyRegs: args.big('dirty_regs') ?? 0n,
      cr8: args.big('cr8') ?? 0n,
      result: args.big('result') ?? 0n,
    };
    const registers: UserBytes = { read: (length) => new Uint8Array(length), write: () => true };
    const page = { read: () => input, writeExit: () => {}, writeHead: () => {}, registers };
    const arg = args.big('arg') ?? 0n;
    const pending = this.#machine.run(callerOf(record), handle, { request: 'KVM_RUN', arg, page });
    // This ends a call that waits for something, and does nothing to one that has answered.
    pending.cancel();
    const answer = await pending.answer;
    return !answer.ok && answer.errno === 'EINTR' ? undefined : outcomeOf(answer);
  }

  /**
   * A trace may begin when the file was open already. The file is then treated as if it had just been
   * opened.
   */
  #handleOf({ object }: CallRecord): Handle | undefined {
    const known = this.#handles.get(object);
    if (known !== undefined || !object.startsWith('sys#')) return known;
    const opened = this.#machine.open();
    if (opened.ok) this.#handles.set(object, opened.value);
    return opened.ok ? opened.value : undefined;
  }

  #keep(step: TracedStep, answer: Answer): void {
    const made = madeBy(step);
    if (answer.ok && made !== undefined) this.#handles.set(made, answer.value);
  }

  #hasRoomFor({ request, args }: CallRecord): boolean {
    if (request !== 'KVM_TDX_INIT_MEM_REGION') return true;
    const pages = new CallArgs(args).big('nr_pages') ?? 0n;
    if (pages > BigInt(this.#pagesLeft)) return false;
    this.#pagesLeft -= Number(pages);
    return true;
  }
}

/** These calls are refused for their arguments rather than for the state of the TD. */
const forArguments: ReadonlySet<string> = new Set(['KVM_TDX_INIT_VM', 'KVM_SET_CPUID2']);

const isCap = ({ request }: CallRecord) => request === 'KVM_ENABLE_CAP';

/**
 * Gives the part of a call that was done before it was interrupted. Only a memory region is done in
 * parts.
 */
function partOf(record: CallRecord): CallRecord | undefined {
  if (record.request !== 'KVM_TDX_INIT_MEM_REGION') return undefined;
  const args = new CallArgs(record.args);
  const done = (args.big('nr_pages') ?? 0n) - (args.map('out').big('nr_pages') ?? 0n);
  if (!args.has('out') || done <= 0n) return undefined;
  return { ...record, args: { ...record.args, nr_pages: `0x${done.toString(16)}` } };
}

function guestEventOf(args: CallArgs, outcome: CallOutcome): GuestEvent | 'runs on' {
  const reason = args.map('exit').text('reason');
  if ('value' in outcome) {
    return reason === 'KVM_EXIT_HYPERCALL'
      ? { reason, nr: 12, args: [], flags: 0n }
      : { reason: 'KVM_EXIT_SHUTDOWN' };
  }
  if ('errno' in outcome && outcome.errno === 'EFAULT') {
    return { reason: 'KVM_EXIT_MEMORY_FAULT', errno: 'EFAULT', flags: 0n, gpa: 0n, size: 0n };
  }
  return 'errno' in outcome && outcome.errno === 'EIO' ? 'touches unaccepted memory' : 'runs on';
}

/**
 * Every process of the trace has an address space of its own, with all the memory that it refers to.
 */
function callerOf({ thread }: CallRecord): Caller {
  const process = Number(/^P(\d+)\./.exec(thread)?.[1] ?? 1);
  return {
    mm: process,
    cgroup: '/',
    memory: { read: (_, length) => new Uint8Array(length) },
    pendingSignal: () => 'none',
  };
}
