/** One simulated machine: its kernel, its TDX module, and the open file descriptions. */

import { type FaultInjector, noFaults } from './faults.ts';
import type { Answer, Caller, Handle, Request } from './interface.ts';
import { ok, refuse } from './kernel/answer.ts';
import { type BringUp, bringUp } from './kernel/bring-up.ts';
import { FileTable } from './kernel/files.ts';
import { releaseGuestMemfd } from './kernel/guest-memfd.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { KernelAbi } from './kernel/kernel-abi.ts';
import { KeyIdPool } from './kernel/key-ids.ts';
import { MiscCgroup } from './kernel/misc-cgroup.ts';
import { PageAllocator } from './kernel/page-allocator.ts';
import { systemIoctl } from './kernel/system-ioctl.ts';
import { putVm } from './kernel/teardown.ts';
import { vcpuIoctl } from './kernel/vcpu-ioctl.ts';
import { vmIoctl } from './kernel/vm-ioctl.ts';
import type { HostProfile } from './platform.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { Trace, type TraceListener } from './trace.ts';

export interface SimulatedMachineOptions {
  readonly profile: HostProfile;
  readonly kernelAbi: KernelAbi;
  readonly faults?: FaultInjector;
}

export class SimulatedMachine {
  readonly profile: HostProfile;
  readonly kernelAbi: KernelAbi;
  /** How loading kvm_intel ended; the reason, where it offers no TDs. */
  readonly bringUp: BringUp;
  readonly #kernel: Kernel;

  constructor(options: SimulatedMachineOptions) {
    const { profile, kernelAbi } = options;
    const faults = options.faults ?? noFaults;
    const trace = new Trace();
    this.profile = profile;
    this.kernelAbi = kernelAbi;
    this.bringUp = bringUp(profile, faults, trace);
    const tdx = this.bringUp.outcome === 'tdx' ? this.bringUp.tdx : undefined;
    const keyIds = new KeyIdPool(tdx === undefined ? noKeyIds : profile.platform.keyIds);
    this.#kernel = {
      profile,
      abi: kernelAbi,
      faults,
      trace,
      files: new FileTable(),
      vms: new Set(),
      nextVmId: 1,
      pages: new PageAllocator(profile.platform.memoryBytes),
      keyIds,
      cgroup: new MiscCgroup(keyIds.total),
      leakedKeyIds: new Set(),
      tdx,
    };
  }

  /** open("/dev/kvm"). ENODEV where kvm_intel did not load. */
  open(): Answer {
    if (this.bringUp.outcome === 'no-kvm') return refuse('ENODEV');
    return ok(this.#kernel.files.install({ kind: 'system' }));
  }

  ioctl(caller: Caller, handle: Handle, request: Request): Answer {
    const answer = this.#dispatch(caller, handle, request);
    const { trace } = this.#kernel;
    if (trace.active) trace.emit({ kind: 'ioctl', handle, request, answer });
    return answer;
  }

  /**
   * The last close of a file description. Whatever it was the last reference to is gone when this
   * returns. False: there is no such handle.
   */
  release(handle: Handle): boolean {
    const kernel = this.#kernel;
    const file = kernel.files.remove(handle);
    if (file === undefined) return false;
    if (file.kind === 'vm') putVm(kernel, file.vm);
    else if (file.kind === 'vcpu') putVm(kernel, file.vcpu.vm);
    else if (file.kind === 'guest_memfd') releaseGuestMemfd(kernel, file.guestMemfd);
    if (kernel.trace.active) kernel.trace.emit({ kind: 'release', handle });
    return true;
  }

  /** Reports every ioctl, leaf and release from now on; the function it returns ends that. */
  listen(listener: TraceListener): () => void {
    return this.#kernel.trace.listen(listener);
  }

  snapshot(): Snapshot {
    return takeSnapshot(this.#kernel);
  }

  /** Key slots of guests: all of them, and those that are not free. */
  get keySlots(): { readonly total: number; readonly used: number } {
    return { total: this.#kernel.keyIds.total, used: this.#kernel.keyIds.used };
  }

  /** misc.max of a cgroup, for the resource `tdx`. */
  setCgroupMax(options: { readonly path: string; readonly max: number }): void {
    this.#kernel.cgroup.setMax(options.path, options.max);
  }

  /** MRTD of a VM's TD; undefined until KVM_TDX_FINALIZE_VM has closed it. */
  mrtd(vmHandle: Handle): Uint8Array | undefined {
    const file = this.#kernel.files.get(vmHandle);
    if (file?.kind !== 'vm' || file.vm.td?.tdr === undefined) return undefined;
    return this.#kernel.tdx?.module.pages.get(file.vm.td.tdr)?.owner.initialized?.finalMrtd;
  }

  #dispatch(caller: Caller, handle: Handle, request: Request): Answer {
    const file = this.#kernel.files.get(handle);
    if (file === undefined) return refuse('EBADF');
    switch (file.kind) {
      case 'system':
        return systemIoctl(this.#kernel, caller, request);
      case 'vm':
        return vmIoctl(this.#kernel, caller, file.vm, request);
      case 'vcpu':
        return vcpuIoctl(this.#kernel, caller, file.vcpu, request);
      case 'guest_memfd':
        return refuse('ENOTTY');
    }
  }
}

const noKeyIds = { mktme: 0, tdxPrivate: 0 } as const;
