/** One simulated machine: its kernel, its TDX module, and the open file descriptions. */

import type { ErrnoName } from '../abi/kvm/errno.ts';
import type { KernelAbi } from '../abi/kvm/kernels/record.ts';
import { PAGE_SIZE } from '../abi/kvm/structs.ts';
import { CallTracer, type TracedCall } from './call-tracer.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { type HostClock, VirtualClock } from './clock.ts';
import { ioctlCost } from './costs.ts';
import { type DisturbedMachine, type FaultInjector, noFaults } from './faults.ts';
import { ForeignTds } from './foreign-tds.ts';
import type {
  Answer,
  Caller,
  FileKind,
  GuestScript,
  Handle,
  PendingAnswer,
  Request,
  RunRequest,
} from './interface.ts';
import { injected, okWithFile, refuse } from './kernel/answer.ts';
import { boot } from './kernel/boot.ts';
import type { BringUp } from './kernel/bring-up.ts';
import { dispatch, takesNoRun } from './kernel/dispatch.ts';
import type { KernelFile } from './kernel/files.ts';
import type { Kernel } from './kernel/kernel.ts';
import { isBlocked, WaitingCall, withoutWait } from './kernel/locks.ts';
import { msrTablesOf } from './kernel/msrs/tables.ts';
import { releaseFile, releaseNs } from './kernel/release-file.ts';
import { readStatistics } from './kernel/statistics.ts';
import { undoCreateVcpu } from './kernel/vcpu/create-vcpu.ts';
import { runVcpu } from './kernel/vcpu/run.ts';
import { type HostProfile, type Platform, presentCpus } from './platform.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { Trace, type TraceListener } from './trace.ts';
import { recordCopies } from './trace-copies.ts';
import { recordRunPage } from './trace-run.ts';

export interface SimulatedMachineOptions {
  readonly profile: HostProfile;
  readonly kernelAbi: KernelAbi;
  readonly faults?: FaultInjector;
  /** What guests do; without one a vCPU that runs does nothing until it is cancelled. */
  readonly guest?: GuestScript;
  /** Without it, the clocks of the host go by what the simulated work costs. */
  readonly hostClock?: HostClock;
  /** An eventfd of KVM_IOEVENTFD was hit; without it nobody is told. */
  readonly signalEventfd?: (id: number) => void;
}

interface CallUnderWay extends TracedCall {
  readonly perform: () => Answer;
}

export interface HowRun {
  /** Called when it has got vcpu->mutex: any signal ends it from then on, and only a fatal one before. */
  readonly begun?: (() => void) | undefined;
  /** What the guest does, in place of the machine's own script. */
  readonly guest?: GuestScript | undefined;
}

export class SimulatedMachine implements DisturbedMachine {
  readonly profile: HostProfile;
  readonly kernelAbi: KernelAbi;
  /** How loading kvm_intel ended; the reason, where it offers no TDs. */
  readonly bringUp: BringUp;
  readonly #kernel: Kernel;
  readonly #clock = new VirtualClock();
  readonly #faults: FaultInjector;
  /** The profile's platform, of which CPUs can go offline. */
  readonly #platform: { -readonly [Field in keyof Platform]: Platform[Field] };
  readonly #foreignTds: ForeignTds;
  readonly #tracer: CallTracer;
  readonly #underWay = new CallsUnderWay();
  readonly #guest: GuestScript | undefined;
  readonly #bootNs: number;

  constructor(options: SimulatedMachineOptions) {
    const { kernelAbi } = options;
    this.#platform = { ...options.profile.platform };
    this.#guest = options.guest;
    this.#faults = options.faults ?? noFaults;
    const trace = new Trace(this.#clock);
    this.#tracer = new CallTracer(trace);
    this.profile = { ...options.profile, platform: this.#platform };
    this.kernelAbi = kernelAbi;
    const { kernel, bringUp } = boot({
      profile: this.profile,
      abi: kernelAbi,
      // Found by the profile that alike machines share.
      msrs: msrTablesOf(options.profile),
      faults: this.#tracer.noting(this.#faults),
      trace,
      hostClock: options.hostClock,
      signalEventfd: options.signalEventfd,
    });
    this.#kernel = kernel;
    this.bringUp = bringUp;
    this.#bootNs = this.#clock.nowNs;
    this.#foreignTds = new ForeignTds(kernel);
    this.changeForeignTds(this.profile.foreignTds ?? 0);
    for (const { path, max, memoryBytes } of this.profile.cgroupLimits ?? []) {
      if (max !== undefined) this.setCgroupMax({ path, max });
      if (memoryBytes !== undefined) {
        kernel.memoryCgroup.setMax(path, Number(memoryBytes / PAGE_SIZE));
      }
    }
  }

  /** open("/dev/kvm"). ENODEV where kvm_intel did not load. */
  open(): Answer {
    if (this.bringUp.outcome === 'no-kvm') return refuse('file.no-kvm');
    return okWithFile(this.#kernel.files.install({ kind: 'system' }));
  }

  /**
   * An ioctl of a caller that does not wait: where another call holds a lock, a signal is taken to end the
   * wait at once, with EINTR.
   */
  ioctl(caller: Caller, handle: Handle, request: Request): Answer {
    const call = this.#begin(caller, handle, request);
    return this.#ended(call, call.perform());
  }

  /** An ioctl that waits, where it must, for the locks that KVM_RUN and other waiting calls hold. */
  call(caller: Caller, handle: Handle, request: Request): Answer | PendingAnswer {
    const call = this.#begin(caller, handle, request);
    const answer = call.perform();
    if (!isBlocked(answer)) return this.#ended(call, answer);
    let finish: (answer: Answer) => void = () => {};
    const later = new Promise<Answer>((resolve) => {
      finish = resolve;
    });
    const waiting = new WaitingCall(this.#kernel, answer, {
      goesOn: () => this.#tracer.asks(caller),
      ended: (given) => {
        noLongerUnderWay();
        finish(this.#ended(call, given));
      },
    });
    const noLongerUnderWay = this.#underWay.add(handle, waiting);
    return { answer: later, cancel: () => waiting.cancel() };
  }

  #begin(caller: Caller, handle: Handle, request: Request): CallUnderWay {
    const startedNs = this.#clock.nowNs;
    this.#clock.advance(ioctlCost(request.request).ns);
    const recorded = this.#kernel.trace.active ? recordCopies(request) : undefined;
    this.#tracer.asks(caller);
    const perform = () => this.#perform(caller, handle, recorded?.request ?? request);
    return { caller, handle, request, startedNs, copies: recorded?.copies, perform };
  }

  #ended(call: CallUnderWay, given: Answer): Answer {
    const answer = withoutWait(given);
    this.#kernel.statistics.refresh();
    this.#tracer.ioctlEnded(call, answer);
    return answer;
  }

  /** KVM_RUN. On a file of another kind it is refused like anything else. */
  run(caller: Caller, handle: Handle, request: RunRequest, how: HowRun = {}): PendingAnswer {
    const kernel = this.#kernel;
    const startedNs = this.#clock.nowNs;
    this.#clock.advance(ioctlCost('KVM_RUN').ns);
    const recorded = kernel.trace.active ? recordRunPage(request.page) : undefined;
    const call: TracedCall = { caller, handle, request, startedNs, copies: recorded?.copies };
    kernel.trace.asking = caller.mm;
    const file = kernel.files.get(handle);
    if (file?.kind !== 'vcpu') {
      const answer = refuse(file === undefined ? 'file.closed' : takesNoRun[file.kind]);
      this.#tracer.runEnded(call, answer);
      return { answer: Promise.resolve(answer), cancel: () => {} };
    }
    // It may have ended before this function returns.
    const noLongerUnderWay = this.#underWay.add(handle, { cancel: () => pending.cancel() });
    const pending = runVcpu({
      kernel,
      caller,
      vcpu: file.vcpu,
      arg: request.arg,
      page: recorded?.page ?? request.page,
      script: how.guest ?? this.#guest,
      begun: how.begun,
      ended: (answer) => {
        noLongerUnderWay();
        this.#tracer.runEnded(call, answer);
      },
    });
    return pending;
  }

  /**
   * Takes back a call whose answer reached nobody: of a process that was interrupted after the call
   * was carried out. Only a new handle needs that, because nobody else knows it. Whatever another
   * call changes belongs to a file that the caller still has, is there to be asked for again, and
   * goes when that file is closed; the kernel could not take it back either.
   */
  undo(answer: Answer): void {
    if (!answer.ok || answer.made === undefined) return;
    const { handle } = answer.made;
    const file = this.#kernel.files.get(handle);
    if (file?.kind === 'vcpu') undoCreateVcpu(file.vcpu.vm, file.vcpu.id);
    this.release(handle);
  }

  /**
   * The last close of a file description. Whatever it was the last reference to is gone when this
   * returns; the calls under way on it end first, with EINTR. False: there is no such handle.
   */
  release(handle: Handle): boolean {
    const kernel = this.#kernel;
    const startedNs = this.#clock.nowNs;
    const file = kernel.files.remove(handle);
    if (file === undefined) return false;
    this.#underWay.cancelAll(handle);
    kernel.trace.asking = undefined;
    this.#clock.advance(releaseNs(kernel, file));
    releaseFile(kernel, file);
    kernel.statistics.refresh();
    if (kernel.trace.active) kernel.trace.emit({ kind: 'release', handle }, startedNs);
    return true;
  }

  /** Reports every ioctl, leaf and release from now on; the function it returns ends that. */
  listen(listener: TraceListener): () => void {
    return this.#kernel.trace.listen(listener);
  }

  snapshot(): Snapshot {
    return takeSnapshot(this.#kernel, {
      clock: { nowNs: this.#clock.nowNs, bootNs: this.#bootNs },
      foreignKeyIds: this.#foreignTds.hkids,
    });
  }

  /** Lets simulated time pass, as for a caller that sleeps between two calls. */
  pass(ms: number): void {
    this.#clock.advance(ms * 1e6);
  }

  /** Simulated nanoseconds since the machine began to initialise its TDX module. */
  get nowNs(): number {
    return this.#clock.nowNs;
  }

  /** Key slots of guests: all of them, and those that are not free. */
  get keySlots(): { readonly total: number; readonly used: number } {
    return { total: this.#kernel.keyIds.total, used: this.#kernel.keyIds.used };
  }

  /** How many more TDs a cgroup and its ancestors allow; Infinity without any limit. */
  cgroupRoom(path: string): number {
    return this.#kernel.cgroup.room(path);
  }

  /** misc.max of a cgroup, for the resource `tdx`. */
  setCgroupMax(options: { readonly path: string; readonly max: number }): void {
    this.#kernel.cgroup.setMax(options.path, options.max);
  }

  /** Memory that the kernel can still hand out. */
  get freeMemoryBytes(): bigint {
    return BigInt(this.#kernel.pages.left) * PAGE_SIZE;
  }

  /** What memory.max of a cgroup and its ancestors leaves; undefined without any limit. */
  cgroupMemoryRoom(path: string): bigint | undefined {
    const pages = this.#kernel.memoryCgroup.room(path);
    return Number.isFinite(pages) ? BigInt(pages) * PAGE_SIZE : undefined;
  }

  changeForeignTds(change: number): number {
    return this.#foreignTds.change(change);
  }

  setLastPackageOnline(online: boolean): boolean {
    if (!online && this.#kernel.keyIds.used > 0) return false;
    this.#platform.offlineCpus = online ? 0 : presentCpus(this.#platform) / this.#platform.packages;
    return true;
  }

  /** The number that a snapshot knows a VM by. */
  vmId(vmHandle: Handle): number | undefined {
    const file = this.#kernel.files.get(vmHandle);
    return file?.kind === 'vm' ? file.vm.id : undefined;
  }

  /** What kind of file a handle is of; undefined once it is released. */
  fileKind(handle: Handle): FileKind | undefined {
    return this.#kernel.files.get(handle)?.kind;
  }

  /** What can be read from a file of KVM_GET_STATS_FD. */
  statistics(handle: Handle): Uint8Array | undefined {
    const file = this.#kernel.files.get(handle);
    return file?.kind === 'stats' ? readStatistics(file.statistics) : undefined;
  }

  /** Keeps the statistics of a file in memory that the caller shares with others, until it is released. */
  shareStatistics(handle: Handle, memory: Uint8Array): void {
    const file = this.#kernel.files.get(handle);
    if (file?.kind === 'stats') this.#kernel.statistics.share(file.statistics, memory);
  }

  /** KVM_SET_SIGNAL_MASK: what a KVM_RUN of the vCPU blocks in place of what its thread blocks. */
  signalMask(vcpuHandle: Handle): bigint | undefined {
    const file = this.#kernel.files.get(vcpuHandle);
    return file?.kind === 'vcpu' ? file.vcpu.signalMask : undefined;
  }

  /** MRTD of a VM's TD; undefined until KVM_TDX_FINALIZE_VM has closed it. */
  mrtd(vmHandle: Handle): Uint8Array | undefined {
    const file = this.#kernel.files.get(vmHandle);
    if (file?.kind !== 'vm' || file.vm.td?.tdr === undefined) return undefined;
    return this.#kernel.tdx?.module.pages.get(file.vm.td.tdr)?.owner.initialized?.finalMrtd;
  }

  #perform(caller: Caller, handle: Handle, request: Request): Answer {
    const { files } = this.#kernel;
    const file = files.get(handle);
    if (file === undefined) return refuse('file.closed');
    const fault = this.#faultBefore(file, request);
    if (fault !== undefined) return injected(fault);
    // What happened meanwhile may have been the death of the caller: nobody waits for the answer.
    if (files.get(handle) === undefined) return refuse('file.closed');
    return dispatch(this.#kernel, caller, file, request);
  }

  #faultBefore(file: KernelFile, request: Request): ErrnoName | undefined {
    const errno = this.#faults.beforeIoctl?.(request.request, this);
    return isDead(file) ? undefined : errno;
  }
}

function isDead(file: KernelFile): boolean {
  if (file.kind === 'vm') return file.vm.dead;
  return file.kind === 'vcpu' && file.vcpu.vm.dead;
}
