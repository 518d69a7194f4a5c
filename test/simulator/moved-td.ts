/** A TD, and the VM that it can be moved to: as tdx_migrate_tests of the kernel's selftests makes both. */
import { makesVcpusFirst } from '../../src/abi/kvm/kernels/record.ts';
import { type Driver, expectOk } from './drive.ts';
import { memRegion, ramGpa, ramPages } from './structs.ts';

export interface Td {
  readonly vm: number;
  readonly vcpus: readonly number[];
  readonly guestMemfd: number;
}

export interface VcpuCounts {
  readonly sourceVcpus?: number;
  readonly destinationVcpus?: number;
}

/** A finalised TD with pages, and a destination for it. */
export function pairOf(
  driver: Driver,
  { sourceVcpus = 1, destinationVcpus = 1 }: VcpuCounts = {},
): { source: Td; destination: Td } {
  const source = driver.builtTd(sourceVcpus);
  expectOk(driver.initMemRegion(source.vcpus[0] as number, memRegion({ nrPages: 4n })));
  expectOk(driver.finalizeVm(source.vm));
  return { source, destination: destinationOf(driver, source, destinationVcpus) };
}

/** KVM_TDX_INIT_VM is called only where the kernel makes no vCPU without it. */
export function destinationOf(driver: Driver, source: Td, vcpuCount = 1): Td {
  const vm = driver.createTd();
  if (!makesVcpusFirst(driver.machine.kernelAbi)) expectOk(driver.initVm(vm));
  const guestMemfd = shareMemory(driver, vm, source.guestMemfd);
  expectOk(driver.setSlot(vm, guestMemfd));
  expectOk(driver.setPrivate(vm, ramGpa, ramPages));
  const vcpus = Array.from({ length: vcpuCount }, (_, id) => {
    const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id });
    expectOk(driver.setCpuid2(vcpu));
    return vcpu;
  });
  return { vm, vcpus, guestMemfd };
}

/** A file of the same pages for another VM; the file itself, where the kernel has no such ioctl. */
export function shareMemory(driver: Driver, vm: number, guestMemfd: number): number {
  const linked = driver.link(vm, guestMemfd);
  if (linked === 'ENOTTY') return guestMemfd;
  expectOk(linked);
  return linked as number;
}
