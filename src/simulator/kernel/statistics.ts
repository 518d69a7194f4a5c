/**
 * The statistics of VMs and vCPUs, and the files that show them. Nothing of a guest's own work is counted, because
 * none is done: what stays 0 is what only that would move.
 */
import {
  type VcpuStatistic,
  vcpuStatisticsFormat,
  vmStatisticsFormat,
} from '../../abi/kvm/statistics.ts';
import type { Vcpu, Vm } from './objects.ts';

/** What an open file shows: a vCPU's statistics, or the VM's own. */
export interface StatisticsFile {
  readonly vm: Vm;
  readonly vcpu: Vcpu | undefined;
}

/** All that can be read from a file now. */
export function readStatistics(file: StatisticsFile): Uint8Array {
  const { vm, vcpu } = file;
  const bytes =
    vcpu === undefined
      ? vmStatisticsFormat.file(vm.statsId)
      : vcpuStatisticsFormat.file(vcpu.statsId);
  update(file, bytes);
  return bytes;
}

export function statisticsBytes({ vcpu }: StatisticsFile): number {
  return (vcpu === undefined ? vmStatisticsFormat : vcpuStatisticsFormat).sizeBytes;
}

function update({ vm, vcpu }: StatisticsFile, bytes: Uint8Array): void {
  if (vcpu !== undefined) vcpuStatisticsFormat.setValues(bytes, vcpu.statistics);
  else vmStatisticsFormat.setValues(bytes, [['pages_4k', mappedPages(vm)]]);
}

/** KVM's own tables mirror the S-EPT. A page stands there before the module has taken it. */
function mappedPages({ td }: Vm): number {
  return td === undefined ? 0 : td.privatePages.size + td.premapped.size;
}

/** Memory of callers that shows files as they are, without asking. */
export class SharedStatistics {
  readonly #shared = new Map<StatisticsFile, Uint8Array>();

  share(file: StatisticsFile, memory: Uint8Array): void {
    memory.set(readStatistics(file));
    this.#shared.set(file, memory);
  }

  close(file: StatisticsFile): void {
    this.#shared.delete(file);
  }

  refresh(): void {
    for (const [file, memory] of this.#shared) update(file, memory);
  }
}

/** The kernel, for those who count. */
interface Counting {
  readonly statistics: SharedStatistics;
}

export function count(kernel: Counting, vcpu: Vcpu, ...names: readonly VcpuStatistic[]): void {
  for (const name of names) set(vcpu, name, (vcpu.statistics.get(name) ?? 0) + 1);
  kernel.statistics.refresh();
}

/** vcpu->stat.generic.blocking */
export function setBlocking(kernel: Counting, vcpu: Vcpu, isBlocking: boolean): void {
  set(vcpu, 'blocking', isBlocking ? 1 : 0);
  kernel.statistics.refresh();
}

function set({ statistics }: Vcpu, name: VcpuStatistic, value: number): void {
  statistics.set(name, value);
}
