/** KVM_REGISTER_COALESCED_MMIO and its opposite are modelled on virt/kvm/coalesced_mmio.c. */
import type { Answer, CoalescedZoneStruct, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Bus, Vm } from '../objects.ts';
import { isBusFull } from './io-bus.ts';

interface ZoneCall {
  readonly kernel: Kernel;
  readonly vm: Vm;
  readonly zone: CopiedIn<CoalescedZoneStruct>;
}

const steps: Steps<ZoneCall> = {
  'argument.unreadable': ({ zone }) => zone.fails(),
  'coalesced-mmio.pio': ({ zone }) => zone.value.pio !== 0 && zone.value.pio !== 1,
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_REGISTER_COALESCED_MMIO: allocate'),
  'io-bus.full': ({ vm, zone }) => isBusFull(vm, busOf(zone.value)),
};

export function coalescedMmio(
  kernel: Kernel,
  vm: Vm,
  request: 'KVM_REGISTER_COALESCED_MMIO' | 'KVM_UNREGISTER_COALESCED_MMIO',
  user: UserStruct<CoalescedZoneStruct>,
): Answer {
  const call = { kernel, vm, zone: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, request, { steps, call });
  if (refused !== undefined) return refused;
  const { addr, size } = call.zone.value;
  const bus = busOf(call.zone.value);
  if (request === 'KVM_REGISTER_COALESCED_MMIO') {
    vm.coalescedZones.push({ bus, addr, size });
    return done;
  }
  // Every zone that holds the whole range is removed. It is no error if there is none.
  const end = addr + BigInt(size);
  vm.coalescedZones = vm.coalescedZones.filter(
    (each) => each.bus !== bus || addr < each.addr || end > each.addr + BigInt(each.size),
  );
  return done;
}

function busOf({ pio }: CoalescedZoneStruct): Bus {
  return pio === 1 ? 'PIO' : 'MMIO';
}
