/** One simulated machine: its kernel, its TDX module, and the open file descriptions. */

import type { CheckName } from '../abi/kvm/checks/index.ts';
import type { ErrnoName } from '../abi/kvm/errno.ts';
import type { KernelAbi } from '../abi/kvm/kernels/record.ts';
import { PAGE_SIZE } from '../abi/kvm/structs.ts';
import { pamtCost } from '../abi/tdx/pamt.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { type HostClock, VirtualClock, virtualHostClock } from './clock.ts';
import { guestPagesTeardownNs, ioctlCost, moduleInitNs, releaseCost } from './costs.ts';
import { type DisturbedMachine, type FaultInjector, type FaultPoint, noFaults } from './faults.ts';
import { ForeignTds } from './foreign-tds.ts';
import { acceptedPages } from './guest-pages.ts';
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
import { type BringUp, bringUp } from './kernel/bring-up.ts';
import { FileTable, type KernelFile } from './kernel/files.ts';
import type { Kernel } from './kernel/kernel.ts';
import { KeyIdPool } from './kernel/key-ids.ts';
import { isBlocked, WaitingCall, withoutWait } from './kernel/locks.ts';
import { DynamicPamt } from './kernel/memory/dynamic-pamt.ts';
import { fallocate } from './kernel/memory/fallocate.ts';
import { releaseGuestMemfd } from './kernel/memory/guest-memfd.ts';
import { guestMemfdIoctl } from './kernel/memory/guest-memfd-ioctl.ts';
import { MemoryCgroup } from './kernel/memory/memory-cgroup.ts';
import { PageAllocator } from './kernel/memory/page-allocator.ts';
import { MiscCgroup } from './kernel/misc-cgroup.ts';
import { msrTablesOf } from './kernel/msrs/tables.ts';
import { readStatistics, SharedStatistics } from './kernel/statistics.ts';
import { releaseStatistics } from './kernel/stats-fd.ts';
import { systemIoctl } from './kernel/system/system-ioctl.ts';
import { undoCreateVcpu } from './kernel/vcpu/create-vcpu.ts';
import { runVcpu } from './kernel/vcpu/run.ts';
import { vcpuIoctl } from './kernel/vcpu/vcpu-ioctl.ts';
import { putVm, releaseVmFile } from './kernel/vm/teardown.ts';
import { releaseVfioDevice, vfioDeviceIoctl } from './kernel/vm/vfio-device.ts';
import { vmIoctl } from './kernel/vm/vm-ioctl.ts';
import { type HostProfile, keyIdRange, type Platform, presentCpus } from './platform.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { Trace, type TraceListener } from './trace.ts';
import { type Copies, recordCopies } from './trace-copies.ts';
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

interface CallUnderWay {
  readonly caller: Caller;
  readonly handle: Handle;
  readonly request: Request;
  readonly startedNs: number;
  /** Undefined where nobody traces. */
  readonly copies: Copies | undefined;
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
  readonly #underWay = new CallsUnderWay();
  readonly #guest: GuestScript | undefined;
  readonly #bootNs: number;
  /** What the ioctl under way has passed; kept only while somebody traces. */
  #points: FaultPoint[] = [];
  #pagesBegun = 0;

  constructor(options: SimulatedMachineOptions) {
    const { kernelAbi } = options;
    this.#platform = { ...options.profile.platform };
    this.#guest = options.guest;
    const profile = { ...options.profile, platform: this.#platform };
    this.#faults = options.faults ?? noFaults;
    const faults = this.#watchedFaults();
    const trace = new Trace(this.#clock);
    this.profile = profile;
    this.kernelAbi = kernelAbi;
    this.bringUp = bringUp(profile, kernelAbi, faults, trace);
    const tdx = this.bringUp.outcome === 'tdx' ? this.bringUp.tdx : undefined;
    const keyIds = new KeyIdPool(tdx === undefined ? noKeyIds : profile.platform.keyIds);
    const pages = pageAllocatorOf(profile.platform, this.bringUp);
    this.#kernel = {
      profile,
      abi: kernelAbi,
      faults,
      trace,
      hostClock: options.hostClock ?? virtualHostClock(this.#clock),
      msrs: msrTablesOf(options.profile),
      files: new FileTable(),
      vms: new Set(),
      locks: undefined,
      nextVmId: 1,
      pages,
      pamt: tdx?.dynamicPamt === true ? new DynamicPamt(pages, tdx.module) : undefined,
      keyIds,
      cgroup: new MiscCgroup(keyIds.total),
      memoryCgroup: new MemoryCgroup(),
      leakedKeyIds: new Set(),
      signalEventfd: options.signalEventfd ?? (() => {}),
      statistics: new SharedStatistics(),
      tdx,
    };
    if (profile.module !== undefined && keyIdRange(profile.platform.keyIds).guests > 0) {
      this.#clock.advance(moduleInitNs(profile.platform.memoryBytes));
    }
    this.#bootNs = this.#clock.nowNs;
    this.#foreignTds = new ForeignTds(this.#kernel);
    this.changeForeignTds(profile.foreignTds ?? 0);
    for (const { path, max, memoryBytes } of profile.cgroupLimits ?? []) {
      if (max !== undefined) this.setCgroupMax({ path, max });
      if (memoryBytes !== undefined) {
        this.#kernel.memoryCgroup.setMax(path, Number(memoryBytes / PAGE_SIZE));
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
      goesOn: () => this.#asks(caller),
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
    const { trace } = this.#kernel;
    const recorded = trace.active ? recordCopies(request) : undefined;
    this.#asks(caller);
    const perform = () => this.#dispatch(caller, handle, recorded?.request ?? request);
    return { caller, handle, request, startedNs, copies: recorded?.copies, perform };
  }

  /** What is traced from here on is of a call of this process. */
  #asks({ mm }: Caller): void {
    const { trace } = this.#kernel;
    if (!trace.active) return;
    this.#points = [];
    this.#pagesBegun = 0;
    trace.asking = mm;
  }

  #ended(call: CallUnderWay, given: Answer): Answer {
    const answer = withoutWait(given);
    this.#kernel.statistics.refresh();
    const { caller, handle, request, startedNs, copies } = call;
    if (copies === undefined) return answer;
    const { trace } = this.#kernel;
    const [points, pagesBegun] = [this.#points, this.#pagesBegun];
    trace.asking = caller.mm;
    trace.emit({ kind: 'ioctl', handle, request, answer, copies, points, pagesBegun }, startedNs);
    return answer;
  }

  /**
   * KVM_RUN. On a file of another kind it is refused like anything else.
   */
  run(caller: Caller, handle: Handle, request: RunRequest, how: HowRun = {}): PendingAnswer {
    const { trace, files } = this.#kernel;
    const startedNs = this.#clock.nowNs;
    this.#clock.advance(ioctlCost('KVM_RUN').ns);
    const file = files.get(handle);
    const recorded = trace.active ? recordRunPage(request.page) : undefined;
    trace.asking = caller.mm;
    const ended = (answer: Answer) => {
      if (!trace.active) return;
      const noted = { copies: recorded?.copies ?? {}, points: [], pagesBegun: 0 };
      trace.asking = caller.mm;
      trace.emit({ kind: 'ioctl', handle, request, answer, ...noted }, startedNs);
    };
    if (file?.kind !== 'vcpu') {
      const answer = refuse(file === undefined ? 'file.closed' : takesNoRun[file.kind]);
      ended(answer);
      return { answer: Promise.resolve(answer), cancel: () => {} };
    }
    const { vcpu } = file;
    const page = recorded?.page ?? request.page;
    const { arg } = request;
    const script = how.guest ?? this.#guest;
    const options = { kernel: this.#kernel, caller, vcpu, arg, page, script, begun: how.begun };
    // It may have ended before this function returns.
    const noLongerUnderWay = this.#underWay.add(handle, { cancel: () => pending.cancel() });
    const pending = runVcpu({
      ...options,
      ended: (answer) => {
        noLongerUnderWay();
        ended(answer);
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
    this.#clock.advance(releaseCost.ns + guestPagesNs(kernel, file));
    if (file.kind === 'vm') releaseVmFile(kernel, file.vm);
    else if (file.kind === 'vcpu') putVm(kernel, file.vcpu.vm);
    else if (file.kind === 'stats') releaseStatistics(kernel, file.statistics);
    else if (file.kind === 'device') releaseVfioDevice(kernel, file.device);
    else if (file.kind === 'guest_memfd') releaseGuestMemfd(kernel, file.guestMemfd);
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

  #dispatch(caller: Caller, handle: Handle, request: Request): Answer {
    const { files } = this.#kernel;
    const file = files.get(handle);
    if (file === undefined) return refuse('file.closed');
    const fault = this.#faultBefore(file, request);
    if (fault !== undefined) return injected(fault);
    // What happened meanwhile may have been the death of the caller: nobody waits for the answer.
    if (files.get(handle) === undefined) return refuse('file.closed');
    if (request.request === 'fallocate') return fallocate(this.#kernel, caller, file, request);
    switch (file.kind) {
      case 'system':
        return systemIoctl(this.#kernel, caller, request);
      case 'vm':
        return vmIoctl(this.#kernel, caller, file.vm, request);
      case 'vcpu':
        return vcpuIoctl(this.#kernel, caller, file.vcpu, request);
      case 'device':
        return vfioDeviceIoctl(this.#kernel, caller, file.device, request);
      case 'guest_memfd':
        return guestMemfdIoctl(this.#kernel, file.guestMemfd, request);
      case 'stats':
        return refuse('file.not-kvm');
    }
  }

  #faultBefore(file: KernelFile, request: Request): ErrnoName | undefined {
    const errno = this.#faults.beforeIoctl?.(request.request, this);
    return isDead(file) ? undefined : errno;
  }

  /** The injector, with a note of what was asked for as long as somebody traces. */
  #watchedFaults(): FaultInjector {
    const injector = this.#faults;
    return {
      errnoAt: (point) => {
        if (this.#kernel.trace.active) this.#points.push(point);
        return injector.errnoAt?.(point);
      },
      ...(injector.statusOf === undefined
        ? {}
        : {
            statusOf: (leaf, logicalCpu) => injector.statusOf?.(leaf, logicalCpu),
            counts: (leaf) => injector.counts?.(leaf) !== false,
          }),
      signalBeforePage: (page) => {
        this.#pagesBegun = page + 1;
        return injector.signalBeforePage?.(page) === true;
      },
    };
  }
}

/** What a file answers to KVM_RUN that is none of a vCPU. */
const takesNoRun: Readonly<Record<Exclude<KernelFile['kind'], 'vcpu'>, CheckName>> = {
  system: 'request.unknown',
  vm: 'request.unknown-on-vm',
  guest_memfd: 'file.not-kvm',
  stats: 'file.not-kvm',
  device: 'request.unknown-on-vm',
};

function isDead(file: KernelFile): boolean {
  if (file.kind === 'vm') return file.vm.dead;
  return file.kind === 'vcpu' && file.vcpu.vm.dead;
}

/** What it costs to take the guest's own memory out of its TD (guest-pages.ts). */
function guestPagesNs(kernel: Kernel, file: KernelFile): number {
  if (file.kind !== 'guest_memfd') return 0;
  const { vm } = file.guestMemfd;
  const key = vm.td?.key === undefined ? 'released' : 'assigned';
  return guestPagesTeardownNs({
    pages: acceptedPages(kernel, file.guestMemfd),
    vcpus: vm.vcpus.length,
    key,
  });
}

/** The PAMT is taken when the module is initialised, before anybody asks for a page. */
function pageAllocatorOf({ memoryBytes }: Platform, loaded: BringUp): PageAllocator {
  if (loaded.outcome !== 'tdx') return new PageAllocator(memoryBytes);
  const { staticBytes, fixedBytes, counterBytes } = pamtCost(memoryBytes);
  const kept = loaded.tdx.dynamicPamt ? fixedBytes + counterBytes : staticBytes;
  return new PageAllocator(memoryBytes, Number(kept / PAGE_SIZE));
}

const noKeyIds = { mktme: 0, tdxPrivate: 0 } as const;
