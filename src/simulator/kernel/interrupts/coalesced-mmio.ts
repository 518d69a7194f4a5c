/** KVM_REGISTER_COALESCED_MMIO and its opposite. Order: virt/kvm/coalesced_mmio.c, Linux 7.3. */
import type { Answer, CoalescedZoneStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { isBusFull } from './io-bus.ts';

export function coalescedMmio(
  kernel: Kernel,
  vm: Vm,
  request: 'KVM_REGISTER_COALESCED_MMIO' | 'KVM_UNREGISTER_COALESCED_MMIO',
  user: UserStruct<CoalescedZoneStruct>,
): Answer {
  const zone = user.read();
  if (zone === undefined) return refuse('EFAULT');
  const { addr, size, pio } = zone;
  if (pio !== 0 && pio !== 1) return refuse('EINVAL');
  const bus = pio === 1 ? 'PIO' : 'MMIO';
  if (request === 'KVM_UNREGISTER_COALESCED_MMIO') {
    // Whatever zone holds all of it; none is no error.
    const end = addr + BigInt(size);
    vm.coalescedZones = vm.coalescedZones.filter(
      (each) => each.bus !== bus || addr < each.addr || end > each.addr + BigInt(each.size),
    );
    return done;
  }
  const fault = faultAt(kernel, 'KVM_REGISTER_COALESCED_MMIO: allocate');
  if (fault !== undefined) return fault;
  if (isBusFull(vm, bus)) return refuse('ENOSPC');
  vm.coalescedZones.push({ bus, addr, size });
  return done;
}
