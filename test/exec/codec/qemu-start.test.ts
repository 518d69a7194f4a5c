/** The ioctls of QEMU 11.1's TDX start, in its order, as bytes: each is decoded and answered. */
import { describe, expect, test } from 'vitest';
import { type CapabilityName, capabilities } from '../../../src/abi/kvm/capabilities.ts';
import { type TdxCommandName, tdxCommands } from '../../../src/abi/kvm/requests.ts';
import type { CpuidEntry } from '../../../src/abi/kvm/structs.ts';
import { decodeArray, encodeArray } from '../../../src/exec/codec/arrays.ts';
import { structs } from '../../../src/exec/codec/structs.ts';
import type { GuestEvent, TdVmCallAnswer } from '../../../src/simulator/index.ts';
import type { Result } from '../../simulator/drive.ts';
import { addressSizes } from '../../simulator/structs.ts';
import { Vmm, type VmmFile } from './vmm.ts';

const entry = structs.kvm_cpuid_entry2;
const guestMemfdFd = 13;
const ramBytes = 0x20_0000n;

/** What the guest does after FINALIZE_VM, and what it is answered. */
class Guest {
  readonly answers: (TdVmCallAnswer | undefined)[] = [];
  readonly #events: GuestEvent[] = [
    { tdvmcall: 'MapGPA', gpa: (1n << 47n) | 0x1000n, size: 0x1000n },
    { tdvmcall: 'GetTdVmCallInfo', leaf: 1n },
    { tdvmcall: 'Instruction.IO', direction: 'out', port: 0x402, sizeBytes: 1, data: 0x41n },
    { tdvmcall: 'Instruction.IO', direction: 'in', port: 0x3fd, sizeBytes: 1, data: 0n },
    { tdvmcall: 'GetQuote', gpa: (1n << 47n) | 0x1000n, size: 0x4000n },
    { tdvmcall: 'ReportFatalError', registers: { r12: 5n } },
  ];

  run(vcpu: { readonly tdvmcall: TdVmCallAnswer | undefined }): GuestEvent {
    this.answers.push(vcpu.tdvmcall);
    return this.#events.shift() ?? { reason: 'KVM_EXIT_SHUTDOWN' };
  }
}

class Qemu extends Vmm {
  capability(file: VmmFile, name: CapabilityName): Result {
    return this.ask(file, 'KVM_CHECK_EXTENSION', BigInt(capabilities[name])).result;
  }

  enable(vm: VmmFile, name: CapabilityName, ...args: bigint[]): Result {
    const cap = structs.kvm_enable_cap.encode({ cap: capabilities[name], args });
    return this.ask(vm, 'KVM_ENABLE_CAP', cap).result;
  }

  tdx(file: VmmFile, name: TdxCommandName, data: Uint8Array | bigint = 0n, flags = 0) {
    const at = typeof data === 'bigint' ? data : this.client.place(data);
    const cmd = structs.kvm_tdx_cmd.encode({ id: tdxCommands[name], flags, data: at });
    const { result } = this.ask(file, 'KVM_MEMORY_ENCRYPT_OP', cmd);
    const length = typeof data === 'bigint' ? 0 : data.length;
    return { result, bytes: this.client.peek(at, length) ?? new Uint8Array() };
  }

  /** Twice the room until there is enough. */
  grown(ask: (nent: number) => { result: Result; bytes: Uint8Array }, from: number) {
    for (let nent = from; ; nent *= 2) {
      const asked = ask(nent);
      if (asked.result !== 'E2BIG') return { ...asked, tries: Math.log2(nent / from) + 1 };
    }
  }
}

const room = (header: Uint8Array, nent: number) =>
  Buffer.concat([header, new Uint8Array(nent * entry.sizeBytes)]);

const guest = new Guest();
const qemu = new Qemu(guest);
const { kvm } = qemu;

describe.sequential('QEMU 11.1 starts a TD', () => {
  let vm: VmmFile;
  let vcpus: VmmFile[];
  let configurable: ReturnType<typeof entry.decode>[];

  test('the kernel is looked at', () => {
    expect(qemu.ask(kvm, 'KVM_GET_API_VERSION').result).toBe(12);
    expect(qemu.capability(kvm, 'KVM_CAP_NR_MEMSLOTS')).toBe(32764);
    expect(qemu.capability(kvm, 'KVM_CAP_VM_TYPES')).toBe(0x21);
    vm = qemu.make(kvm, 'KVM_CREATE_VM', 5n);
    expect(qemu.capability(vm, 'KVM_CAP_MULTI_ADDRESS_SPACE')).toBe(1);
    expect(qemu.enable(vm, 'KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 3n)).toBe(0);
  });

  test('KVM_TDX_CAPABILITIES with more room until there is enough', () => {
    const { result, bytes, tries } = qemu.grown(
      (nent) =>
        qemu.tdx(
          vm,
          'KVM_TDX_CAPABILITIES',
          room(structs.kvm_tdx_capabilities.encode({ nent }), nent),
        ),
      6,
    );
    expect([result, tries > 1]).toEqual([0, true]);
    const header = structs.kvm_tdx_capabilities;
    const { nent, userTdvmcallInfo1R11 } = header.decode(bytes);
    expect(userTdvmcallInfo1R11).toBe(2n);
    configurable = decodeArray(entry, bytes.subarray(header.sizeBytes), nent);
    expect(configurable.map(({ function: leaf }) => leaf)).toContain(0x8000_0008);
  });

  test('capabilities, MSR lists, addresses, filter and routing of an ordinary VM', () => {
    expect(qemu.enable(vm, 'KVM_CAP_EXIT_HYPERCALL', 0x1000n)).toBe(0);
    expect(qemu.enable(vm, 'KVM_CAP_EXCEPTION_PAYLOAD', 1n)).toBe(0);
    expect(qemu.enable(vm, 'KVM_CAP_X86_TRIPLE_FAULT_EVENT', 1n)).toBe(0);
    for (const name of ['KVM_GET_MSR_INDEX_LIST', 'KVM_GET_MSR_FEATURE_INDEX_LIST'] as const) {
      const asked = qemu.ask(kvm, name, new Uint8Array(4));
      expect(asked.result).toBe('E2BIG');
      const { count } = structs.kvm_msr_list.decode(asked.bytes);
      expect(count).toBeGreaterThan(0);
      const list = Buffer.concat([asked.bytes, new Uint8Array(4 * count)]);
      expect(qemu.ask(kvm, name, list).result).toBe(0);
    }
    const identityMap = new Uint8Array([0, 0xc0, 0xff, 0xfe, 0, 0, 0, 0]);
    expect(qemu.ask(vm, 'KVM_SET_IDENTITY_MAP_ADDR', identityMap).result).toBe(0);
    expect(qemu.ask(vm, 'KVM_SET_TSS_ADDR', 0xfeff_d000n).result).toBe(0);
    expect(qemu.enable(vm, 'KVM_CAP_X86_USER_SPACE_MSR', 4n)).toBe(0);
    // A bitmap is whole longs.
    const bitmap = qemu.client.place(new Uint8Array(8));
    const range = structs.kvm_msr_filter_range.encode({ flags: 1, nmsrs: 1, base: 0x35, bitmap });
    const filter = structs.kvm_msr_filter.encode({});
    filter.set(range, 8);
    expect(qemu.ask(vm, 'KVM_X86_SET_MSR_FILTER', filter).result).toBe(0);
    expect(qemu.enable(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n)).toBe(0);
    const routing = structs.kvm_irq_routing.encode({ nr: 24 });
    const routes = encodeArray(
      structs.kvm_irq_routing_entry,
      Array.from({ length: 24 }, (_, gsi) => ({
        gsi,
        type: 2,
        flags: 0,
        word0: 0xfee0_0000,
        word1: 0,
        word2: 0x4000 + gsi,
        word3: 0,
      })),
    );
    const routed = qemu.ask(vm, 'KVM_SET_GSI_ROUTING', Buffer.concat([routing, routes]));
    expect(routed.result).toBe(0);
  });

  test('CPUID, features and attributes of the host', () => {
    const { result, bytes } = qemu.grown(
      (nent) =>
        qemu.ask(kvm, 'KVM_GET_SUPPORTED_CPUID', room(structs.kvm_cpuid2.encode({ nent }), nent)),
      1,
    );
    expect(result).toBe(0);
    const { nent } = structs.kvm_cpuid2.decode(bytes);
    const leaves = decodeArray(entry, bytes.subarray(8), nent);
    expect(leaves.some(({ function: leaf }) => leaf === 0x8000_0008)).toBe(true);
    const addr = qemu.client.place(new Uint8Array(8));
    const attribute = structs.kvm_device_attr.encode({ addr });
    expect(qemu.ask(kvm, 'KVM_GET_DEVICE_ATTR', attribute).result).toBe(0);
    expect(qemu.client.peek(addr, 8)?.some((byte) => byte !== 0)).toBe(true);
    expect(qemu.ask(kvm, 'KVM_X86_GET_MCE_CAP_SUPPORTED', new Uint8Array(8)).result).toBe(0);
    const feature = encodeArray(structs.kvm_msr_entry, [{ index: 0x10a, data: 0n }]);
    const msrs = Buffer.concat([structs.kvm_msrs.encode({ count: 1 }), feature]);
    expect(qemu.ask(kvm, 'KVM_GET_MSRS', msrs).result).toBe(1);
  });

  test('KVM_TDX_INIT_VM takes the attributes and the address width that QEMU passes', () => {
    expect(qemu.enable(vm, 'KVM_CAP_MAX_VCPU_ID', 4n)).toBe(0);
    expect(qemu.enable(vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n)).toBe(0);
    expect(qemu.ask(vm, 'KVM_SET_TSC_KHZ', 0n).result).toBe(0);
    const leaves = configurable
      .filter((leaf) => leaf.function === 0x8000_0008)
      .map(() => addressSizes);
    const header = structs.kvm_tdx_init_vm.encode({ attributes: 1n << 28n, xfam: 3n, nent: 1 });
    const init = Buffer.concat([header, encodeArray(entry, leaves)]);
    expect(qemu.tdx(vm, 'KVM_TDX_INIT_VM', init).result).toBe(0);
  });

  test('vCPUs are made and set up one by one, from CPUID to MSRs', () => {
    vcpus = [0n, 1n].map((id) => qemu.make(vm, 'KVM_CREATE_VCPU', id));
    expect(qemu.ask(kvm, 'KVM_GET_VCPU_MMAP_SIZE').result).toBe(12288);
    for (const vcpu of vcpus) {
      const cpuid = qemu.tdx(
        vcpu,
        'KVM_TDX_GET_CPUID',
        room(structs.kvm_cpuid2.encode({ nent: 100 }), 100),
      );
      expect(cpuid.result).toBe(0);
      expect(qemu.ask(vcpu, 'KVM_GET_TSC_KHZ').result).toBeGreaterThan(0);
      expect(qemu.ask(vcpu, 'KVM_X86_SETUP_MCE', u64(0x100_010an)).result).toBe(0);
      const { nent } = structs.kvm_cpuid2.decode(cpuid.bytes);
      const leaves = decodeArray(entry, cpuid.bytes.subarray(8), nent).map(asQemuHasIt);
      const set = Buffer.concat([structs.kvm_cpuid2.encode({ nent }), encodeArray(entry, leaves)]);
      expect(qemu.ask(vcpu, 'KVM_SET_CPUID2', set).result).toBe(0);
      const microcode = encodeArray(structs.kvm_msr_entry, [{ index: 0x8b, data: 1n << 32n }]);
      const msrs = Buffer.concat([structs.kvm_msrs.encode({ count: 1 }), microcode]);
      expect(qemu.ask(vcpu, 'KVM_SET_MSRS', msrs).result).toBe(1);
      const stats = qemu.make(vcpu, 'KVM_GET_STATS_FD');
      qemu.machine.release(stats.handle);
    }
  });

  test('the memory of the guest is a private slot with a guest_memfd', () => {
    const create = structs.kvm_create_guest_memfd.encode({ size: ramBytes });
    const gmem = qemu.make(vm, 'KVM_CREATE_GUEST_MEMFD', create);
    qemu.client.fds.set(guestMemfdFd, { kind: 'ours', handle: gmem.handle });
    const region = structs.kvm_userspace_memory_region2.encode({
      flags: 4,
      memorySize: ramBytes,
      userspaceAddr: 0x7fd8_07e0_0000n,
      guestMemfd: guestMemfdFd,
    });
    expect(qemu.ask(vm, 'KVM_SET_USER_MEMORY_REGION2', region).result).toBe(0);
    const attributes = structs.kvm_memory_attributes.encode({ size: ramBytes, attributes: 8n });
    expect(qemu.ask(vm, 'KVM_SET_MEMORY_ATTRIBUTES', attributes).result).toBe(0);
    const zone = structs.kvm_coalesced_mmio_zone.encode({ addr: 0xcf8n, size: 1, pio: 1 });
    expect(qemu.ask(vm, 'KVM_REGISTER_COALESCED_MMIO', zone).result).toBe(0);
    expect(qemu.ask(vm, 'KVM_UNREGISTER_COALESCED_MMIO', zone).result).toBe(0);
  });

  test('KVM_TDX_INIT_VCPU to KVM_TDX_FINALIZE_VM', () => {
    for (const vcpu of vcpus) {
      expect(qemu.ask(vcpu, 'KVM_TPR_ACCESS_REPORTING', new Uint8Array(40)).result).toBe(0);
      expect(qemu.tdx(vcpu, 'KVM_TDX_INIT_VCPU', 0x80_9000n).result).toBe(0);
    }
    const sourceAddr = qemu.client.place(new Uint8Array(2 * 4096).fill(0x5a));
    const region = structs.kvm_tdx_init_mem_region.encode({
      sourceAddr,
      gpa: 0x1000n,
      nrPages: 2n,
    });
    const added = qemu.tdx(vcpus[0] as VmmFile, 'KVM_TDX_INIT_MEM_REGION', region, 1);
    expect(added.result).toBe(0);
    expect(structs.kvm_tdx_init_mem_region.decode(added.bytes)).toEqual({
      sourceAddr: sourceAddr + 0x2000n,
      gpa: 0x3000n,
      nrPages: 0n,
    });
    expect(qemu.tdx(vm, 'KVM_TDX_FINALIZE_VM').result).toBe(0);
    expect(qemu.machine.mrtd(vm.handle)).toBeInstanceOf(Uint8Array);
  });

  test('the clock, and KVM_RUN with immediate_exit', async () => {
    const clock = qemu.ask(vm, 'KVM_GET_CLOCK', new Uint8Array(48));
    expect(clock.result).toBe(0);
    expect(structs.kvm_clock_data.decode(clock.bytes).clock).toBeGreaterThan(0n);
    expect(qemu.ask(vm, 'KVM_SET_CLOCK', new Uint8Array(48)).result).toBe(0);
    for (const vcpu of vcpus) {
      expect(qemu.ask(vcpu, 'KVM_SET_VAPIC_ADDR', new Uint8Array(8)).result).toBe(0);
      const page = pageOf(vcpu);
      page[1] = 1;
      expect(await qemu.run(vcpu)).toBe('EINTR');
      page[1] = 0;
    }
  });

  test('exits, and what the guest is answered', async () => {
    const vcpu = vcpus[0] as VmmFile;
    const page = pageOf(vcpu);
    const view = new DataView(page.buffer);
    const reason = () => view.getUint32(8, true);
    const next = async () => {
      expect(await qemu.run(vcpu)).toBe(0);
      return reason();
    };
    expect(await next()).toBe(3);
    expect([32, 40, 48, 56].map((at) => view.getBigUint64(at, true))).toEqual([
      12n,
      0x1000n,
      1n,
      0n,
    ]);
    expect(await next()).toBe(40);
    expect(view.getBigUint64(40, true)).toBe(0x10000n);
    view.setBigUint64(64, 2n, true);
    expect(await next()).toBe(2);
    expect([page[32], page[33], view.getUint16(34, true), page[4096]]).toEqual([1, 1, 0x402, 0x41]);
    expect(await next()).toBe(2);
    page[4096] = 0x60;
    expect(await next()).toBe(40);
    expect(view.getBigUint64(40, true)).toBe(0x10002n);
    expect(view.getBigUint64(48, true)).toBe(0x8000_0000_0000_0003n);
    view.setBigUint64(48, 0n, true);
    expect(await next()).toBe(24);
    expect([view.getUint32(32, true), view.getUint32(36, true)]).toEqual([7, 16]);
    expect(view.getBigUint64(40 + 12 * 8, true)).toBe(5n);
    const [, ...answers] = guest.answers;
    expect(answers.map((answer) => answer?.r10)).toEqual([0n, 0n, 0n, 0n, 0n]);
    expect(answers[1]?.r11).toBe(2n);
    expect(answers[3]?.r11).toBe(0x60n);
  });
});

/** With x2APIC, and the widths of physical and linear addresses. */
function asQemuHasIt(leaf: CpuidEntry): CpuidEntry {
  if (leaf.function === 1) return { ...leaf, ecx: (leaf.ecx | (1 << 21)) >>> 0 };
  if (leaf.function !== 0x8000_0008) return leaf;
  return { ...leaf, eax: ((leaf.eax & 0xffff_0000) | (48 << 8) | 52) >>> 0 };
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

function pageOf({ runPage }: VmmFile): Uint8Array {
  if (runPage === undefined) throw new Error('only a vCPU has a page');
  return runPage;
}
