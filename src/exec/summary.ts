/** What came of a run under supervision: the TDs, the key slots, the refusals, what was left. */
import type { UnservedCall } from '../../native/index.ts';
import { capabilities } from '../abi/kvm/capabilities.ts';
import { requestWith } from '../abi/kvm/requests.ts';
import { NO_FD } from '../abi/kvm/structs.ts';
import { decodeStatus, formatWord } from '../abi/tdx/status.ts';
import type { AskedRefusal } from '../diagnosis/explain/requests/explain-refusal.ts';
import type { Answer, Copy, Handle, SimulatedMachine } from '../simulator/index.ts';
import { describeCall } from '../trace/index.ts';
import type { AnsweredCall, CallListener } from './dispatcher.ts';
import type { ProgramFile } from './program-files.ts';
import type { CommandExit } from './signals.ts';

export interface ExecSummary {
  readonly command: readonly string[];
  readonly exit: CommandExit;
  /** Only calls that came to the simulated machine count, and not what /dev/kvm answers to everybody. */
  readonly calls: number;
  /** The first 1000. */
  readonly vms: readonly VmSummary[];
  /** All others together, where there were more. */
  readonly furtherVms?: FurtherVms;
  readonly keySlots: {
    readonly total: number;
    /** After the command's end. */
    readonly used: number;
    readonly free: number;
    /** Taken by TDs of other processes before the command was started. */
    readonly foreign: number;
    readonly peak: number;
  };
  readonly refusals: readonly RefusalSummary[];
  /** The simulated kernel does not know these ioctls; a real one may. The first 1000 by number. */
  readonly unknownIoctls: readonly UnknownIoctl[];
  /** A program asked KVM so, and `tdctl exec` serves no such call. */
  readonly unserved: readonly UnservedSummary[];
  /** These files of the simulated machine are still open though every program is gone. */
  readonly stillOpen: readonly string[];
  /** So many key slots of these TDs no kernel gets back without a restart. */
  readonly leakedKeySlots: number;
}

interface VmCounts {
  readonly vcpus: { created: number; initialized: number };
  readonly pages: { added: number; measured: number };
}

export interface VmSummary extends VmCounts {
  /** The VM has this name in a trace too, such as `vm#1`. */
  readonly name: string;
  readonly type: 'td' | 'default';
  /** The MRTD in hexadecimal digits; null until KVM_TDX_FINALIZE_VM. */
  mrtd: string | null;
}

export interface FurtherVms extends VmCounts {
  tds: number;
  ordinary: number;
  /** So many TDs came to KVM_TDX_FINALIZE_VM. */
  finalized: number;
}

export interface RefusalSummary {
  /** The request with its capability, such as `KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)`. */
  readonly request: string;
  readonly errno: string;
  /** The kernel's check that refused, which `tdctl explain` knows; null where a fault was injected. */
  readonly check: string | null;
  /** The name of the status that the kernel wrote back. */
  readonly hwError: string | null;
  readonly count: number;
  readonly meaning: string;
  readonly hint: string;
  /**
   * Nothing is wrong: every VMM meets such a refusal on its way, when it asks for a list again with more
   * room, or asks what a kernel does by a request that only a refusal answers.
   */
  readonly routine: boolean;
}

export interface UnknownIoctl {
  readonly on: ProgramFile['kind'];
  /** `others` stands for all that came after the first 1000. */
  readonly ioctl: string;
  readonly errno: string;
  readonly count: number;
}

/** A program may make VMs, and try numbers, for ever. */
const mostListed = 1000;

export interface UnservedSummary extends UnservedCall {
  readonly errno: string;
  readonly count: number;
}

type Refusal = Extract<Answer, { readonly ok: false }>;

/** What a refusal means is looked up at the end, as most programs meet none. */
interface NotedRefusal {
  readonly asked: AskedRefusal;
  readonly isQuestion: boolean;
  count: number;
}

export class SummaryCollector implements CallListener {
  readonly #machine: SimulatedMachine;
  readonly #vms: VmSummary[] = [];
  readonly #further: FurtherVms = { tds: 0, ordinary: 0, finalized: 0, ...noneYet() };
  /** What counts for an open VM, and for an open vCPU of it. */
  readonly #counted = new Map<Handle, VmSummary | FurtherVms>();
  readonly #refusals = new Map<string, NotedRefusal>();
  readonly #unknown = new Map<string, UnknownIoctl>();
  readonly #unserved = new Map<string, UnservedSummary>();
  #calls = 0;
  #peak: number;
  readonly #foreign: number;

  constructor(machine: SimulatedMachine) {
    this.#machine = machine;
    this.#foreign = machine.keySlots.used;
    this.#peak = this.#foreign;
  }

  /** So far. */
  get calls(): number {
    return this.#calls;
  }

  opened(): void {
    this.#calls++;
  }

  closed({ handle }: ProgramFile): void {
    this.#counted.delete(handle);
  }

  unserved(call: UnservedCall, errno: string): void {
    const key = `${call.call} ${call.abi} ${errno}`;
    const count = (this.#unserved.get(key)?.count ?? 0) + 1;
    this.#unserved.set(key, { ...call, errno, count });
  }

  called(call: AnsweredCall): void {
    this.#calls++;
    const { request, answer, copies, file } = call;
    this.#peak = Math.max(this.#peak, this.#machine.keySlots.used);
    if (!answer.ok && call.delivered) this.#note(call, answer);
    if (request.request === 'KVM_TDX_INIT_MEM_REGION') this.#countPages(file, copies);
    if (!answer.ok) return;
    switch (request.request) {
      case 'KVM_CREATE_VM':
        if (call.made !== undefined) this.#addVm(call.made, request.type);
        break;
      case 'KVM_CREATE_VCPU':
        this.#addVcpu(file, call.made);
        break;
      case 'KVM_TDX_INIT_VCPU':
        this.#update(file, (vm) => {
          vm.vcpus.initialized++;
        });
        break;
      case 'KVM_TDX_FINALIZE_VM':
        this.#update(file, (vm) => {
          const mrtd = this.#machine.mrtd(file.handle);
          if ('finalized' in vm) vm.finalized++;
          else vm.mrtd = mrtd === undefined ? null : Buffer.from(mrtd).toString('hex');
        });
        break;
    }
  }

  async summary(
    command: readonly string[],
    exit: CommandExit,
    open: readonly ProgramFile[],
  ): Promise<ExecSummary> {
    const { total, used } = this.#machine.keySlots;
    const refusals = [...this.#refusals.values()];
    return {
      command,
      exit,
      calls: this.#calls,
      vms: this.#vms,
      ...(this.#further.tds + this.#further.ordinary > 0 && { furtherVms: this.#further }),
      keySlots: { total, used, free: total - used, foreign: this.#foreign, peak: this.#peak },
      refusals: refusals.length === 0 ? [] : await inWords(refusals),
      unknownIoctls: [...this.#unknown.values()],
      unserved: [...this.#unserved.values()],
      stillOpen: open.map(({ name }) => name),
      leakedKeySlots: this.#machine.snapshot().keySlots.leaked,
    };
  }

  #addVm({ handle, name }: ProgramFile, number: number): void {
    const type = number === 0 ? 'default' : 'td';
    if (this.#vms.length === mostListed) {
      this.#further[type === 'td' ? 'tds' : 'ordinary']++;
      this.#counted.set(handle, this.#further);
      return;
    }
    const vm: VmSummary = { name, type, ...noneYet(), mrtd: null };
    this.#vms.push(vm);
    this.#counted.set(handle, vm);
  }

  #addVcpu(vmFile: ProgramFile, made: ProgramFile | undefined): void {
    const vm = this.#counted.get(vmFile.handle);
    if (vm === undefined || made === undefined) return;
    vm.vcpus.created++;
    this.#counted.set(made.handle, vm);
  }

  #update(file: ProgramFile, change: (vm: VmSummary | FurtherVms) => void): void {
    const vm = this.#counted.get(file.handle);
    if (vm !== undefined) change(vm);
  }

  /** The kernel writes the struct back advanced by the pages done, even where it refuses the call. */
  #countPages(file: ProgramFile, copies: AnsweredCall['copies']): void {
    const regions = copies.data ?? [];
    const asked = regions.find(({ access }) => access === 'read')?.value;
    const left = regions.find(({ access }) => access === 'write')?.value;
    const flags = copies.cmd?.find(({ access }) => access === 'read')?.value;
    if (!hasPages(asked) || !hasPages(left)) return;
    const done = Number(asked.nrPages - left.nrPages);
    this.#update(file, (vm) => {
      vm.pages.added += done;
      if (isMeasured(flags)) vm.pages.measured += done;
    });
  }

  #note(call: AnsweredCall, { errno, hwError: hwStatus, check, leaf }: Refusal): void {
    const { request, file, copies } = call;
    if (request.request === 'unknown ioctl') {
      // Such as isatty(), which is asked of any file.
      if (!isOfKvm(request.number)) return;
      this.#noteUnknown(file, request.number, errno);
      return;
    }
    // This is a kick: every VMM gets the thread of a vCPU back so.
    if (request.request === 'KVM_RUN' && errno === 'EINTR') return;
    const { args } = describeCall(request, copies, () => undefined);
    const name = requestWith(request.request, args.cap?.toString());
    const key = `${name} ${errno} ${check ?? ''} ${hwStatus ?? ''}`;
    const before = this.#refusals.get(key);
    if (before !== undefined) {
      before.count++;
      return;
    }
    const { keySlots, kernelAbi: kernel } = this.#machine;
    this.#refusals.set(key, {
      asked: {
        request: name,
        errno,
        hwStatus,
        check,
        kernel,
        isSimulated: true,
        leaf: leaf && { name: leaf.name, status: formatWord(leaf.status) },
        facts: { keySlots, initVmMaxVcpus: initVmMaxVcpus(call) },
      },
      isQuestion: isQuestion(call, check),
      count: 1,
    });
  }

  #noteUnknown({ kind }: ProgramFile, number: number, errno: string): void {
    const each = `${kind} ${number}`;
    const isListed = this.#unknown.has(each) || this.#unknown.size < mostListed;
    const key = isListed ? each : `${kind} others`;
    const count = (this.#unknown.get(key)?.count ?? 0) + 1;
    const text = isListed ? hex(BigInt(number)) : 'others';
    this.#unknown.set(key, { on: kind, ioctl: text, errno, count });
  }
}

async function inWords(refusals: readonly NotedRefusal[]): Promise<RefusalSummary[]> {
  const { explainRefusal } = await import('../diagnosis/refusals.ts');
  return refusals.map(({ asked, isQuestion, count }) => {
    const { request, errno, check, hwStatus } = asked;
    const { meaning, hint, rank } = explainRefusal(asked);
    return {
      request,
      errno,
      check: check ?? null,
      hwError: hwStatus === undefined ? null : statusText(hwStatus),
      count,
      meaning,
      hint,
      routine: rank === 'effect' || isQuestion,
    };
  });
}

/** KVMIO: the type of all requests of KVM. */
function isOfKvm(number: number): boolean {
  return ((number >>> 8) & 0xff) === 0xae;
}

/** Requests that ask what a kernel does: no capability tells it, and they can do nothing but ask. */
function isQuestion({ request, copies }: AnsweredCall, check: string | undefined): boolean {
  switch (request.request) {
    case 'KVM_ENABLE_CAP': {
      const { cap, args } = readStruct(copies.cap) as { cap?: number; args?: readonly bigint[] };
      if (cap === capabilities.KVM_CAP_MAX_VCPUS) return check === 'enable-cap.unknown';
      return cap === capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM && args?.[0] === NO_FD;
    }
    case 'KVM_TDX_INIT_VM':
      return check === 'init-vm.too-many-cpuid-entries';
    case 'KVM_TDX_TERMINATE_VM':
      return check === 'command.unknown';
    default:
      return false;
  }
}

function readStruct(copies: readonly Copy[] | undefined): object {
  const value = copies?.find(({ access }) => access === 'read')?.value;
  return typeof value === 'object' && value !== null ? value : {};
}

function noneYet(): VmCounts {
  return { vcpus: { created: 0, initialized: 0 }, pages: { added: 0, measured: 0 } };
}

/** What the VMM gave where this kernel has max_vcpus in struct kvm_tdx_init_vm. */
function initVmMaxVcpus({ request, copies }: AnsweredCall): number | undefined {
  if (request.request !== 'KVM_TDX_INIT_VM') return undefined;
  const struct = copies.data?.find(({ access }) => access === 'read')?.value;
  return (struct as { readonly maxVcpus?: number } | undefined)?.maxVcpus;
}

function statusText(status: bigint): string {
  const { name, operand } = decodeStatus(status);
  if (name === undefined) return hex(status);
  return operand === undefined ? name : `${name}|${operand}`;
}

function hasPages(value: unknown): value is { readonly nrPages: bigint } {
  return typeof value === 'object' && value !== null && 'nrPages' in value;
}

function isMeasured(command: unknown): boolean {
  return (command as { readonly flags?: number } | undefined)?.flags === 1;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
