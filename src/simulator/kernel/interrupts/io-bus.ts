/**
 * The two buses that a guest's I/O goes over before user space sees it. What sits on them here are
 * ioeventfds and zones of coalesced writes; a zone has no ring in this model, so that what is written
 * to it exits, as where a ring is full. Source: virt/kvm/kvm_main.c (kvm_io_bus_*), Linux 7.3.
 */
import type { Kernel } from '../kernel.ts';
import type { Bus, IoEventfd, Vm } from '../objects.ts';

/** NR_IOBUS_DEVS; ioeventfds do not count. */
const mostDevices = 1000;

/** Whether a device more would be ENOSPC. */
export function isBusFull(vm: Vm, bus: Bus): boolean {
  const zones = vm.coalescedZones.filter((zone) => zone.bus === bus).length;
  return zones + inKernelDevices(vm, bus) >= mostDevices;
}

/** The I/O APIC; two PICs with their edge/level register, and the PIT. */
function inKernelDevices(vm: Vm, bus: Bus): number {
  if (vm.irqchip !== 'kernel') return 0;
  if (bus === 'MMIO') return 1;
  return bus === 'PIO' ? 3 + vm.pitDevices : 0;
}

export interface BusWrite {
  readonly bus: Bus;
  readonly addr: bigint;
  readonly len: number;
  readonly data: bigint;
}

/** True: an eventfd was signalled, and user space sees no exit. */
export function busWrite(kernel: Kernel, vm: Vm, write: BusWrite): boolean {
  const hit = vm.ioEventfds.find((each) => isHit(each, write));
  if (hit === undefined) return false;
  kernel.signalEventfd(hit.eventfd);
  return true;
}

function isHit({ bus, addr, len, datamatch }: IoEventfd, write: BusWrite): boolean {
  if (bus !== write.bus || addr !== write.addr) return false;
  if (len === 0) return true;
  return len === write.len && (datamatch === undefined || datamatch === write.data);
}
