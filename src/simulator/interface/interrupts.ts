/** Requests about interrupts, eventfds and the buses that a device would sit on. All on a VM. */
import type { UserBytes, UserFile, UserStruct } from './caller.ts';

/**
 * What an fd in a struct names, where the kernel wants an eventfd. `not open`: EBADF. `not an
 * eventfd`: EINVAL. `id` tells eventfds apart, whatever fd they are known by: the kernel compares the
 * eventfd itself. An id must not come to mean another eventfd while a VM has one of that id; the
 * `eventfd-id` in /proc/PID/fdinfo will do for as long as the eventfd is open.
 */
export type EventfdFact = { readonly id: number } | 'not open' | 'not an eventfd';

/** `struct kvm_irqfd` */
export interface IrqfdStruct {
  readonly eventfd: EventfdFact;
  readonly gsi: number;
  readonly flags: number;
  /** Looked at only with KVM_IRQFD_FLAG_RESAMPLE. */
  readonly resamplefd: EventfdFact;
}

/** `struct kvm_ioeventfd` */
export interface IoeventfdStruct {
  readonly datamatch: bigint;
  readonly addr: bigint;
  readonly len: number;
  readonly eventfd: EventfdFact;
  readonly flags: number;
}

/** `struct kvm_irq_routing`: its header, then as many entries as it says. */
export interface UserGsiRouting {
  readHeader(): { readonly nr: number; readonly flags: number } | undefined;
  readEntries(nr: number): readonly GsiRoute[] | undefined;
}

/** `struct kvm_irq_routing_entry`; what the union holds depends on `type`. */
export interface GsiRoute {
  readonly gsi: number;
  readonly type: number;
  readonly flags: number;
  /** The first four words of the union: {irqchip, pin} or {address_lo, address_hi, data, devid}. */
  readonly words: readonly [number, number, number, number];
}

/** `struct kvm_msi` */
export interface MsiStruct {
  readonly addressLo: number;
  readonly addressHi: number;
  readonly data: number;
  readonly flags: number;
  readonly devid: number;
}

/** `struct kvm_irq_level`. KVM_IRQ_LINE_STATUS writes the status (signed) in the place of `irq`. */
export interface IrqLevelStruct {
  readonly irq: number;
  readonly level: number;
}

/** `struct kvm_coalesced_mmio_zone` */
export interface CoalescedZoneStruct {
  readonly addr: bigint;
  readonly size: number;
  readonly pio: number;
}

/** `struct kvm_create_device` */
export interface CreateDeviceStruct {
  readonly type: number;
  readonly fd: number;
  readonly flags: number;
}

export interface CreateDeviceRequest {
  readonly request: 'KVM_CREATE_DEVICE';
  readonly create: UserStruct<CreateDeviceStruct>;
  /** The field `fd` of the struct. */
  readonly fd: UserFile;
}

export type InterruptRequest =
  | { readonly request: 'KVM_CREATE_IRQCHIP' | 'KVM_CREATE_PIT' }
  | { readonly request: 'KVM_CREATE_PIT2'; readonly config: UserStruct<{ readonly flags: number }> }
  | { readonly request: 'KVM_GET_IRQCHIP' | 'KVM_SET_IRQCHIP'; readonly chip: UserBytes }
  | { readonly request: 'KVM_SET_GSI_ROUTING'; readonly routing: UserGsiRouting }
  | { readonly request: 'KVM_IRQFD'; readonly irqfd: UserStruct<IrqfdStruct> }
  | { readonly request: 'KVM_IOEVENTFD'; readonly ioeventfd: UserStruct<IoeventfdStruct> }
  | { readonly request: 'KVM_SIGNAL_MSI'; readonly msi: UserStruct<MsiStruct> }
  | {
      readonly request: 'KVM_IRQ_LINE' | 'KVM_IRQ_LINE_STATUS';
      readonly line: UserStruct<IrqLevelStruct>;
    }
  | {
      readonly request: 'KVM_REGISTER_COALESCED_MMIO' | 'KVM_UNREGISTER_COALESCED_MMIO';
      readonly zone: UserStruct<CoalescedZoneStruct>;
    }
  | CreateDeviceRequest;
