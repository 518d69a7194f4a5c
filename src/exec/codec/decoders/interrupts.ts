/** The ioctls of a VM about interrupts, eventfds and the buses that a device would sit on. */
import type { MadeFile, UserGsiRouting } from '../../../simulator/index.ts';
import type { ClientCall } from '../client-call.ts';
import type { Place } from '../place.ts';
import { structs } from '../structs.ts';
import { mapped, type StructInMemory } from '../user-structs.ts';
import { argument, type DecoderTable, eventfd, structOf } from './decoder.ts';

const KVM_IRQFD_FLAG_RESAMPLE = 2;

export const interruptDecoders = {
  KVM_CREATE_IRQCHIP: () => ({ request: 'KVM_CREATE_IRQCHIP' }),
  KVM_CREATE_PIT: () => ({ request: 'KVM_CREATE_PIT' }),
  KVM_CREATE_PIT2: (call) => ({
    request: 'KVM_CREATE_PIT2',
    config: structOf(call, structs.kvm_pit_config),
  }),
  KVM_GET_IRQCHIP: (call) => ({ request: 'KVM_GET_IRQCHIP', chip: argument(call) }),
  KVM_SET_IRQCHIP: (call) => ({ request: 'KVM_SET_IRQCHIP', chip: argument(call) }),
  KVM_SET_GSI_ROUTING: (call) => ({
    request: 'KVM_SET_GSI_ROUTING',
    routing: gsiRouting(argument(call)),
  }),
  KVM_IRQFD: (call) => ({ request: 'KVM_IRQFD', irqfd: irqfd(call) }),
  KVM_IOEVENTFD: (call) => ({
    request: 'KVM_IOEVENTFD',
    ioeventfd: mapped(structOf(call, structs.kvm_ioeventfd), ({ fd, ...others }) => ({
      ...others,
      eventfd: eventfd(call, fd),
    })),
  }),
  KVM_SIGNAL_MSI: (call) => ({
    request: 'KVM_SIGNAL_MSI',
    msi: structOf(call, structs.kvm_msi),
  }),
  KVM_IRQ_LINE: (call) => ({
    request: 'KVM_IRQ_LINE',
    line: structOf(call, structs.kvm_irq_level),
  }),
  KVM_IRQ_LINE_STATUS: (call) => ({
    request: 'KVM_IRQ_LINE_STATUS',
    line: structOf(call, structs.kvm_irq_level),
  }),
  KVM_REGISTER_COALESCED_MMIO: (call) => ({
    request: 'KVM_REGISTER_COALESCED_MMIO',
    zone: structOf(call, structs.kvm_coalesced_mmio_zone),
  }),
  KVM_UNREGISTER_COALESCED_MMIO: (call) => ({
    request: 'KVM_UNREGISTER_COALESCED_MMIO',
    zone: structOf(call, structs.kvm_coalesced_mmio_zone),
  }),
  KVM_CREATE_DEVICE: (call) => {
    const create = structOf(call, structs.kvm_create_device);
    return { request: 'KVM_CREATE_DEVICE', create, fd: { writeFile: fileIn(call, create) } };
  },
} satisfies DecoderTable;

/** The fd is there before its number is written, and stays where that faults. */
function fileIn(call: ClientCall, struct: StructInMemory<typeof structs.kvm_create_device.fields>) {
  return (made: MadeFile) => {
    const fd = call.giveFile?.(made);
    return fd !== undefined && struct.last !== undefined && struct.write({ ...struct.last, fd });
  };
}

/** The kernel looks the second eventfd up only where its flag is set. */
function irqfd(call: ClientCall) {
  return mapped(structOf(call, structs.kvm_irqfd), ({ fd, gsi, flags, resamplefd }) => ({
    eventfd: eventfd(call, fd),
    gsi,
    flags,
    resamplefd:
      (flags & KVM_IRQFD_FLAG_RESAMPLE) === 0 ? ('not open' as const) : eventfd(call, resamplefd),
  }));
}

function gsiRouting(place: Place): UserGsiRouting {
  const header = structs.kvm_irq_routing;
  return {
    readHeader: () => place.readStruct(header),
    readEntries: (nr) =>
      place
        .readArray(structs.kvm_irq_routing_entry, nr, header.sizeBytes)
        ?.map(({ word0, word1, word2, word3, ...route }) => ({
          ...route,
          words: [word0, word1, word2, word3],
        })),
  };
}
