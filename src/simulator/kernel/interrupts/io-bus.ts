/**
 * A guest's I/O goes over two buses before user space sees it. Ioeventfds and zones of coalesced writes
 * sit on them here. A zone has no ring in this model, so a write to it exits, as it does where a ring
 * is full. Source: virt/kvm/kvm_main.c (kvm_io_bus_*), Linux 7.3.
 */
import type { Kernel } from '../kernel.ts';
import type { Bus, IoEventfd, Vm } from '../objects.ts';

/** This is NR_IOBUS_DEVS. Ioeventfds do not count towards it. */
const mostDevices = 1000;

/** Tells whether one more device would be refused with ENOSPC. */
export function isBusFull(vm: Vm, bus: Bus): boolean {
  const zones = vm.coalescedZones.filter((zone) => zone.bus === bus).length;
  return zones + inKernelDevices(vm, bus) >= mostDevices;
}

/**
 * On the MMIO bus this is the I/O APIC; on the port bus it is two PICs with their edge/level register,
 * and the PIT.
 */
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

/** Returns true when an eventfd was signalled, so that user space sees no exit. */
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
