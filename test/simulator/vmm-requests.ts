/** Requests that a VMM makes besides those of a TD's life, with arguments that mostly fit. */
import { StructValue, type VcpuRequest, type VmRequest } from '../../src/simulator/index.ts';
import {
  BytesValue,
  emptyBitmaps,
  gsiRouting,
  MsrsValue,
  msrFilter,
  signalMask,
} from './values.ts';

/** @param choice any number: what is asked, and with what. */
export function someVmRequest(choice: number): VmRequest {
  const eventfd = { id: choice % 7 };
  const requests: readonly VmRequest[] = [
    { request: 'KVM_GET_STATS_FD' },
    {
      request: 'KVM_IRQFD',
      irqfd: new StructValue({ eventfd, gsi: 1, flags: choice % 2, resamplefd: 'not open' }),
    },
    {
      request: 'KVM_IOEVENTFD',
      ioeventfd: new StructValue({
        datamatch: 0n,
        addr: BigInt(choice % 3),
        len: 4,
        eventfd,
        flags: 4 * (choice % 2),
      }),
    },
    { request: 'KVM_SET_GSI_ROUTING', routing: gsiRouting([{ gsi: choice % 5 }]) },
    { request: 'KVM_IRQ_LINE', line: new StructValue({ irq: choice % 5, level: choice % 2 }) },
    {
      request: 'KVM_REGISTER_COALESCED_MMIO',
      zone: new StructValue({ addr: 0x1000n, size: 16, pio: 0 }),
    },
    {
      request: 'KVM_SET_CLOCK',
      clock: new StructValue({ clock: BigInt(choice), flags: 0, realtime: 0n, hostTsc: 0n }),
    },
    { request: 'KVM_X86_SET_MSR_FILTER', filter: msrFilter(0), bitmaps: emptyBitmaps },
    {
      request: 'KVM_GET_DIRTY_LOG',
      log: new StructValue({ slot: choice % 3 }),
      bitmap: new BytesValue(4096),
    },
    { request: 'KVM_SET_TSS_ADDR', addr: 0xfeff_d000n },
    { request: 'KVM_CREATE_PIT' },
    { request: 'unknown ioctl', number: choice },
  ];
  return requests[choice % requests.length] as VmRequest;
}

export function someVcpuRequest(choice: number): VcpuRequest {
  const requests: readonly VcpuRequest[] = [
    { request: 'KVM_GET_STATS_FD' },
    { request: 'KVM_GET_MSRS', msrs: new MsrsValue([[0x8b], [0x10]]) },
    { request: 'KVM_SET_MSRS', msrs: new MsrsValue([[0x8b, BigInt(choice)]]) },
    { request: 'KVM_X86_SETUP_MCE', mcgCap: new StructValue(BigInt(choice % 40)) },
    { request: 'KVM_SET_MP_STATE', mpState: new StructValue(choice % 6) },
    { request: 'KVM_GET_REGS', state: new BytesValue(4096) },
    { request: 'KVM_SET_VCPU_EVENTS', state: new BytesValue(64) },
    { request: 'KVM_NMI' },
    { request: 'KVM_SMI' },
    { request: 'KVM_SET_SIGNAL_MASK', mask: signalMask(8) },
    { request: 'KVM_KVMCLOCK_CTRL' },
    { request: 'unknown ioctl', number: choice },
  ];
  return requests[choice % requests.length] as VcpuRequest;
}
