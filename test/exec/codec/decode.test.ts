import { describe, expect, test } from 'vitest';
import { ioctlNumbers, tdxCommands } from '../../../src/abi/kvm/requests.ts';
import type { CpuidEntry } from '../../../src/abi/kvm/structs.ts';
import { encodeArray } from '../../../src/exec/codec/arrays.ts';
import type { ClientCall, FdTarget } from '../../../src/exec/codec/index.ts';
import { structs } from '../../../src/exec/codec/structs.ts';
import { createSimulatedHost, kernelAbis, type Request } from '../../../src/simulator/index.ts';
import { addressSizes, x2apicLeaf } from '../../simulator/structs.ts';
import { Client } from './client.ts';

type File = ClientCall['file'];

const u64Max = (1n << 64n) - 1n;

const encodeEntries = (entries: readonly CpuidEntry[]) =>
  encodeArray(structs.kvm_cpuid_entry2, entries);

/** The request that a call is; fails where it is none. */
function requestOf<Name extends Request['request']>(
  client: Client,
  file: File,
  name: Name,
  arg: bigint,
  number: number = ioctlNumbers[name as keyof typeof ioctlNumbers],
): Request & { readonly request: Name } {
  const decoded = client.decode(file, number, arg);
  expect(decoded).toMatchObject({ kind: 'request', request: { request: name } });
  if (decoded.kind !== 'request') throw new Error('no request');
  return decoded.request as Request & { readonly request: Name };
}

/** What was copied, by its distance from an address. */
function copies(client: Client, base: bigint): string[] {
  return client.accesses.map(({ kind, address, length }) => `${kind} ${length}@${address - base}`);
}

function commandAt(client: Client, id: number, data = 0n): bigint {
  return client.place(structs.kvm_tdx_cmd.encode({ id, flags: 3, data, hwError: 5n }));
}

const tdx = <Name extends keyof typeof tdxCommands>(
  client: Client,
  file: File,
  name: Name,
  data?: bigint,
) =>
  requestOf<Name>(
    client,
    file,
    name,
    commandAt(client, tdxCommands[name], data),
    ioctlNumbers.KVM_MEMORY_ENCRYPT_OP,
  );

describe('arguments by value', () => {
  test.each([
    ['system', 'KVM_GET_API_VERSION', 7n, { arg: 7n }],
    ['system', 'KVM_GET_VCPU_MMAP_SIZE', u64Max, { arg: u64Max }],
    ['system', 'KVM_CREATE_VM', 5n, { type: 5 }],
    ['system', 'KVM_CHECK_EXTENSION', 66n, { capability: 66 }],
    ['vm', 'KVM_CHECK_EXTENSION', 66n, { capability: 66 }],
    ['vm', 'KVM_CREATE_VCPU', 3n, { id: 3 }],
    ['vm', 'KVM_SET_BOOT_CPU_ID', 3n, { id: 3 }],
    ['vm', 'KVM_SET_TSC_KHZ', 2_000_000n, { tscKhz: 2_000_000 }],
    ['vcpu', 'KVM_SET_TSC_KHZ', 2_000_000n, { tscKhz: 2_000_000 }],
    ['vm', 'KVM_CREATE_IRQCHIP', u64Max, {}],
  ] as const)('%s %s', (file, request, arg, fields) => {
    expect(requestOf(new Client(), file, request, arg)).toEqual({ request, ...fields });
  });

  const wide = 1n << 32n;

  test('an unsigned long is not cut: 2^32 + 5 is no VM type, no vCPU id, no boot id, no capability', () => {
    const machine = createSimulatedHost({ profile: 'spr-1.5' });
    const client = new Client();
    const caller = {
      mm: 1,
      cgroup: '/',
      memory: { read: () => undefined },
      pendingSignal: () => 'none' as const,
    };
    const kvm = machine.open();
    const vm = machine.ioctl(caller, kvm.ok ? kvm.value : 0, { request: 'KVM_CREATE_VM', type: 0 });
    const on = (file: 'system' | 'vm') => (file === 'system' ? kvm : vm);
    const answer = (file: 'system' | 'vm', request: Request['request'], arg: bigint) => {
      const handle = on(file);
      if (!handle.ok) throw new Error('no handle');
      return machine.ioctl(caller, handle.value, requestOf(client, file, request, arg));
    };
    const einval = (check: string) => ({ ok: false, errno: 'EINVAL', hwError: undefined, check });
    for (const high of [wide, 1n << 53n, 1n << 63n, u64Max - 5n]) {
      expect(answer('system', 'KVM_CREATE_VM', high)).toEqual(einval('create-vm.type'));
      expect(answer('vm', 'KVM_CREATE_VCPU', high)).toEqual(einval('create-vcpu.id-range'));
      expect(answer('vm', 'KVM_SET_BOOT_CPU_ID', high)).toEqual(einval('set-boot-cpu-id.range'));
      for (const file of ['system', 'vm'] as const) {
        expect(answer(file, 'KVM_CHECK_EXTENSION', high + 3n)).toEqual({ ok: true, value: 0 });
      }
    }
    expect(answer('vm', 'KVM_CREATE_VCPU', 0n)).toMatchObject({ ok: true });
  });

  test('KVM_SET_TSC_KHZ is cut to 32 bits', () => {
    expect(requestOf(new Client(), 'vm', 'KVM_SET_TSC_KHZ', wide + 9n)).toMatchObject({
      tscKhz: 9,
    });
  });
});

describe('a number that its file does not know', () => {
  test.each([
    ['system', ioctlNumbers.KVM_CREATE_VCPU],
    ['vm', ioctlNumbers.KVM_RUN],
    ['vm', ioctlNumbers.KVM_GET_API_VERSION],
    ['vcpu', ioctlNumbers.KVM_CREATE_VCPU],
    ['guest_memfd', ioctlNumbers.KVM_CHECK_EXTENSION],
    ['stats', ioctlNumbers.KVM_CHECK_EXTENSION],
    ['vm', 0x4020_ae45],
    ['vm', 0xffff_ffff],
  ] as const)('%s 0x%x', (file, number) => {
    const request = { request: 'unknown ioctl', number };
    expect(new Client().decode(file, number, 0n)).toEqual({ kind: 'unknown', request });
  });
});

describe('nothing is read before the kernel would', () => {
  test.each(['system', 'vm', 'vcpu'] as const)('%s', (file) => {
    for (const number of Object.values(ioctlNumbers)) {
      if (number === ioctlNumbers.KVM_MEMORY_ENCRYPT_OP) continue;
      const client = new Client();
      client.decode(file, number, client.place(new Uint8Array(512)));
      expect([client.accesses, client.fdsAsked]).toEqual([[], []]);
    }
  });

  test('KVM_MEMORY_ENCRYPT_OP: the id alone', () => {
    const client = new Client();
    const arg = commandAt(client, tdxCommands.KVM_TDX_INIT_VM);
    client.decode('vm', ioctlNumbers.KVM_MEMORY_ENCRYPT_OP, arg);
    expect(copies(client, arg)).toEqual(['read 4@0']);
  });
});

describe('structs that are copied whole', () => {
  test('KVM_ENABLE_CAP: 104 bytes', () => {
    const client = new Client();
    const cap = { cap: 121, flags: 2, args: [24n, 1n, 2n, u64Max] };
    const arg = client.place(structs.kvm_enable_cap.encode(cap));
    const request = requestOf(client, 'vm', 'KVM_ENABLE_CAP', arg);
    expect(request.cap.read()).toEqual(cap);
    expect(copies(client, arg)).toEqual(['read 104@0']);
  });

  test('KVM_SET_USER_MEMORY_REGION: 32 bytes, and no guest_memfd', () => {
    const client = new Client();
    const region = {
      slot: 1,
      flags: 4,
      guestPhysAddr: 0x1000n,
      memorySize: 0x2000n,
      userspaceAddr: 0x7000n,
    };
    const arg = client.place(structs.kvm_userspace_memory_region.encode(region));
    const request = requestOf(client, 'vm', 'KVM_SET_USER_MEMORY_REGION', arg);
    const read = { ...region, guestMemfdOffset: 0n, guestMemfd: undefined };
    expect(request.region.read()).toEqual(read);
    expect(copies(client, arg)).toEqual(['read 32@0']);
  });

  test('KVM_SET_MEMORY_ATTRIBUTES2 on a guest_memfd: 128 bytes both ways', () => {
    const client = new Client();
    const asked = {
      offset: 0x1000n,
      size: 0x2000n,
      attributes: 8n,
      flags: 0n,
      errorOffset: 0n,
      reserved: Array.from({ length: 11 }, (_, at) => BigInt(at)),
    };
    const arg = client.place(structs.kvm_memory_attributes2.encode(asked));
    const request = requestOf(client, 'guest_memfd', 'KVM_SET_MEMORY_ATTRIBUTES2', arg);
    expect(request.attributes.read()).toEqual(asked);
    expect(request.attributes.write({ ...asked, errorOffset: 0x2000n })).toBe(true);
    expect(copies(client, arg)).toEqual(['read 128@0', 'write 128@0']);
    const after = structs.kvm_memory_attributes2.decode(client.peek(arg, 128) ?? new Uint8Array());
    expect(after).toEqual({ ...asked, errorOffset: 0x2000n });
  });

  test('KVM_PRE_FAULT_MEMORY: 64 bytes both ways, padding as it was', () => {
    const client = new Client();
    const before = new Uint8Array(64).fill(0x77);
    const arg = client.place(before);
    const request = requestOf(client, 'vcpu', 'KVM_PRE_FAULT_MEMORY', arg);
    expect(request.range.read()?.gpa).toBe(0x7777_7777_7777_7777n);
    expect(request.range.write({ gpa: 1n, size: 2n, flags: 3n })).toBe(true);
    expect(copies(client, arg)).toEqual(['read 64@0', 'write 64@0']);
    const after = client.peek(arg, 64);
    expect(after).toEqual(
      structs.kvm_pre_fault_memory.encode({ gpa: 1n, size: 2n, flags: 3n }, before),
    );
    expect(after?.subarray(24)).toEqual(before.subarray(24));
  });
});

describe('struct kvm_cpuid2', () => {
  test('header and entries are copied at different moments, entries with zero padding', () => {
    const client = new Client();
    const arg = client.place(new Uint8Array(8 + 80).fill(0xee));
    const { cpuid } = requestOf(client, 'system', 'KVM_GET_SUPPORTED_CPUID', arg);
    expect(cpuid.readHeader()).toEqual({ nent: 0xeeee_eeee, padding: 0xeeee_eeee });
    expect(cpuid.writeEntries([addressSizes, x2apicLeaf])).toBe(true);
    expect(cpuid.writeHeader({ nent: 2, padding: 9 })).toBe(true);
    expect(cpuid.readEntries(2)).toEqual([addressSizes, x2apicLeaf]);
    expect(copies(client, arg)).toEqual(['read 8@0', 'write 80@8', 'write 8@0', 'read 80@8']);
    expect(client.peek(arg + 8n + 28n, 12)).toEqual(new Uint8Array(12));
  });

  test('no entries are no copy, even at an address that faults', () => {
    const client = new Client();
    const { cpuid } = requestOf(client, 'vcpu', 'KVM_SET_CPUID2', 0n);
    expect(cpuid.readEntries(0)).toEqual([]);
    expect(cpuid.writeEntries([])).toBe(true);
    expect(client.accesses).toEqual([]);
  });
});

describe('fds', () => {
  const gmem: FdTarget = { kind: 'ours', handle: 77 };

  function regionWith(client: Client, flags: number) {
    const region = structs.kvm_userspace_memory_region2.encode({ flags, guestMemfd: 9 });
    return requestOf(client, 'vm', 'KVM_SET_USER_MEMORY_REGION2', client.place(region)).region;
  }

  test('of a guest_memfd: its handle, one of no file here, or none', () => {
    const client = new Client();
    client.fds.set(9, gmem);
    expect(regionWith(client, 4).read()?.guestMemfd).toBe(77);
    client.fds.set(9, { kind: 'other' });
    expect(regionWith(client, 4).read()?.guestMemfd).toBe('another file');
    client.fds.delete(9);
    expect(regionWith(client, 4).read()?.guestMemfd).toBeUndefined();
  });

  test('are not looked up without the flag', () => {
    const client = new Client();
    client.fds.set(9, gmem);
    expect(regionWith(client, 3).read()?.guestMemfd).toBeUndefined();
    expect(client.fdsAsked).toEqual([]);
  });

  test.each([197, 206])('of a VM, in the first argument of capability %d', (cap) => {
    const client = new Client();
    client.fds.set(9, gmem).set(10, { kind: 'other' });
    const argsOf = (fd: bigint) => {
      const arg = client.place(structs.kvm_enable_cap.encode({ cap, args: [fd, 4n] }));
      return requestOf(client, 'vm', 'KVM_ENABLE_CAP', arg).cap.read()?.args;
    };
    expect(argsOf(9n)).toEqual([77n, 4n, 0n, 0n]);
    expect(argsOf(10n)).toEqual([0n, 4n, 0n, 0n]);
    expect(argsOf(11n)).toEqual([0n, 4n, 0n, 0n]);
    // An fd is an int: the kernel does not look at the upper half.
    expect(argsOf(9n + (1n << 32n))).toEqual([77n, 4n, 0n, 0n]);
  });

  test('no other capability has its argument translated', () => {
    const client = new Client();
    const arg = client.place(structs.kvm_enable_cap.encode({ cap: 128, args: [9n] }));
    expect(requestOf(client, 'vm', 'KVM_ENABLE_CAP', arg).cap.read()?.args[0]).toBe(9n);
    expect(client.fdsAsked).toEqual([]);
  });

  test('the struct of KVM_LINK_GUEST_MEMFD is decoded', () => {
    const client = new Client();
    client.fds.set(9, gmem);
    const arg = client.place(structs.kvm_link_guest_memfd.encode({ fd: 9n, flags: 1n }));
    const { link } = requestOf(client, 'vm', 'KVM_LINK_GUEST_MEMFD', arg);
    expect(link.read()).toEqual({ guestMemfd: 77, flags: 1n });
  });
});

describe('what a struct points to', () => {
  test('KVM_GET_DEVICE_ATTR: 24 bytes, and the value where they say', () => {
    const client = new Client();
    const value = client.place(new Uint8Array(8));
    const attr = { flags: 1, group: 2, attr: 3n };
    const arg = client.place(structs.kvm_device_attr.encode({ ...attr, addr: value }));
    const request = requestOf(client, 'system', 'KVM_GET_DEVICE_ATTR', arg);
    expect(request.value.write(5n)).toBe(false);
    expect(request.attr.read()).toEqual(attr);
    expect(request.value.write(0x0102n)).toBe(true);
    expect(client.peek(value, 8)).toEqual(new Uint8Array([2, 1, 0, 0, 0, 0, 0, 0]));
    expect(request.value.read()).toBe(0x0102n);
  });

  test('KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG: the bitmap', () => {
    const client = new Client();
    const dirtyBitmap = client.place(new Uint8Array([1, 2, 3, 4]));
    const get = client.place(structs.kvm_dirty_log.encode({ slot: 7, dirtyBitmap }));
    const log = requestOf(client, 'vm', 'KVM_GET_DIRTY_LOG', get);
    expect(log.log.read()).toEqual({ slot: 7 });
    expect(log.bitmap.write(new Uint8Array([9]), 1)).toBe(true);
    const pages = { slot: 7, numPages: 64, firstPage: 128n };
    const clear = client.place(structs.kvm_clear_dirty_log.encode({ ...pages, dirtyBitmap }));
    const cleared = requestOf(client, 'vm', 'KVM_CLEAR_DIRTY_LOG', clear);
    expect(cleared.log.read()).toEqual(pages);
    expect(cleared.bitmap.read(3, 1)).toEqual(new Uint8Array([9, 3, 4]));
  });

  test('KVM_X86_SET_MSR_FILTER: 16 ranges at once, each bitmap by itself', () => {
    const client = new Client();
    const bitmap = client.place(new Uint8Array([0xaa, 0xbb]));
    const range = structs.kvm_msr_filter_range.encode({ flags: 3, nmsrs: 16, base: 0x10, bitmap });
    const bytes = new Uint8Array(392);
    bytes[0] = 1;
    bytes.set(range, 8 + 24);
    const arg = client.place(bytes);
    const { filter, bitmaps } = requestOf(client, 'vm', 'KVM_X86_SET_MSR_FILTER', arg);
    expect(bitmaps.readBitmap(1, 2)).toBeUndefined();
    const read = filter.read();
    expect(read?.flags).toBe(1);
    expect(read?.ranges).toHaveLength(16);
    expect(read?.ranges[0]).toEqual({ flags: 0, nmsrs: 0, base: 0 });
    expect(read?.ranges[1]).toEqual({ flags: 3, nmsrs: 16, base: 0x10 });
    expect(bitmaps.readBitmap(1, 2)).toEqual(new Uint8Array([0xaa, 0xbb]));
    expect(bitmaps.readBitmap(0, 2)).toBeUndefined();
    expect(bitmaps.readBitmap(16, 2)).toBeUndefined();
    expect(copies(client, arg)[0]).toBe('read 392@0');
  });
});

describe('arrays behind a header', () => {
  test('KVM_GET_MSR_INDEX_LIST: the count, then the indices from the one that is said', () => {
    const client = new Client();
    const arg = client.place(new Uint8Array(4 + 12));
    const { list } = requestOf(client, 'system', 'KVM_GET_MSR_INDEX_LIST', arg);
    expect(list.readCount()).toBe(0);
    expect(list.writeCount(3)).toBe(true);
    expect(list.writeIndices([0x10, 0xc000_0080], 0)).toBe(true);
    expect(list.writeIndices([0x4b56_4d00], 2)).toBe(true);
    expect(list.writeIndices([1], 3)).toBe(false);
    expect(copies(client, arg)).toEqual([
      'read 4@0',
      'write 4@0',
      'write 8@4',
      'write 4@12',
      'write 4@16',
    ]);
    const words = new DataView(client.peek(arg, 16)?.buffer ?? new ArrayBuffer(0));
    expect([0, 4, 8, 12].map((at) => words.getUint32(at, true))).toEqual([
      3, 0x10, 0xc000_0080, 0x4b56_4d00,
    ]);
  });

  test.each(['system', 'vcpu'] as const)('KVM_GET_MSRS on %s: 8 bytes, then 16 each', (file) => {
    const client = new Client();
    const bytes = new Uint8Array(8 + 32).fill(0x66);
    bytes.set([2, 0, 0, 0]);
    const arg = client.place(bytes);
    const { msrs } = requestOf(client, file, 'KVM_GET_MSRS', arg);
    expect(msrs.readCount()).toBe(2);
    expect(msrs.readEntries(2)?.[1]).toEqual({ index: 0x6666_6666, data: 0x6666_6666_6666_6666n });
    const written = [
      { index: 0x10, data: 1n },
      { index: 0x8b, data: 2n },
    ];
    expect(msrs.writeEntries(written)).toBe(true);
    expect(msrs.readEntries(2)).toEqual(written);
    expect(copies(client, arg)).toEqual(['read 8@0', 'read 32@8', 'write 32@8', 'read 32@8']);
    // The reserved word of an entry is not KVM's to change.
    expect(client.peek(arg + 12n, 4)).toEqual(new Uint8Array(4).fill(0x66));
  });

  test('KVM_SET_GSI_ROUTING: 8 bytes, then 48 each', () => {
    const client = new Client();
    const route = { gsi: 24, type: 2, flags: 1 };
    const words = { word0: 0xfee0_0000, word1: 1, word2: 0x4041, word3: 5 };
    const header = structs.kvm_irq_routing.encode({ nr: 1, flags: 2 });
    const entry = structs.kvm_irq_routing_entry.encode({ ...route, ...words });
    const arg = client.place(Buffer.concat([header, entry]));
    const { routing } = requestOf(client, 'vm', 'KVM_SET_GSI_ROUTING', arg);
    expect(routing.readHeader()).toEqual({ nr: 1, flags: 2 });
    expect(routing.readEntries(1)).toEqual([{ ...route, words: Object.values(words) }]);
    expect(routing.readEntries(2)).toBeUndefined();
    expect(copies(client, arg)).toEqual(['read 8@0', 'read 48@8', 'read 96@8']);
  });

  test('KVM_SET_SIGNAL_MASK: the length, then the set; NULL is no mask', () => {
    const client = new Client();
    const arg = client.place(new Uint8Array([8, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x80]));
    const { mask } = requestOf(client, 'vcpu', 'KVM_SET_SIGNAL_MASK', arg);
    expect(mask?.readLength()).toBe(8);
    expect(mask?.readSignals()).toBe(0x8000_0000_0000_0201n);
    expect(copies(client, arg)).toEqual(['read 4@0', 'read 8@4']);
    expect(requestOf(client, 'vcpu', 'KVM_SET_SIGNAL_MASK', 0n).mask).toBeUndefined();
  });
});

describe('eventfds', () => {
  const withFds = () => {
    const client = new Client();
    client.fds.set(3, { kind: 'eventfd', id: 42 }).set(4, { kind: 'other' });
    return client;
  };
  const irqfd = (client: Client, fields: Parameters<typeof structs.kvm_irqfd.encode>[0]) =>
    requestOf(
      client,
      'vm',
      'KVM_IRQFD',
      client.place(structs.kvm_irqfd.encode(fields)),
    ).irqfd.read();

  test('KVM_IRQFD: an eventfd, another file, none', () => {
    const client = withFds();
    expect(irqfd(client, { fd: 3, gsi: 5 })?.eventfd).toEqual({ id: 42 });
    expect(irqfd(client, { fd: 4 })?.eventfd).toBe('not an eventfd');
    expect(irqfd(client, { fd: 5 })?.eventfd).toBe('not open');
    expect(irqfd(client, { fd: 0xffff_ffff })?.eventfd).toBe('not open');
  });

  test('KVM_IRQFD: the resamplefd counts with its flag only', () => {
    const client = withFds();
    expect(irqfd(client, { fd: 4, resamplefd: 3 })?.resamplefd).toBe('not open');
    expect(client.fdsAsked).toEqual([4]);
    expect(irqfd(client, { fd: 4, resamplefd: 3, flags: 2 })?.resamplefd).toEqual({ id: 42 });
  });

  test('KVM_IOEVENTFD', () => {
    const client = withFds();
    const fields = { datamatch: 1n, addr: 0xfe00n, len: 2, flags: 3 };
    const arg = client.place(structs.kvm_ioeventfd.encode({ ...fields, fd: 3 }));
    const { ioeventfd } = requestOf(client, 'vm', 'KVM_IOEVENTFD', arg);
    expect(ioeventfd.read()).toEqual({ ...fields, eventfd: { id: 42 } });
  });
});

describe('memory that is moved whole, and single words', () => {
  test('KVM_GET_REGS and KVM_GET_IRQCHIP: as much as the model asks for', () => {
    const client = new Client();
    const arg = client.place(new Uint8Array(520));
    const { state } = requestOf(client, 'vcpu', 'KVM_GET_REGS', arg);
    expect(state.write(new Uint8Array(144).fill(1))).toBe(true);
    const { chip } = requestOf(client, 'vm', 'KVM_GET_IRQCHIP', arg);
    expect(chip.read(2, 143)).toEqual(new Uint8Array([1, 0]));
    expect(chip.read(521)).toBeUndefined();
    expect(copies(client, arg)).toEqual(['write 144@0', 'read 2@143', 'read 521@0']);
  });

  test('KVM_SET_MP_STATE: 4 bytes; KVM_X86_SETUP_MCE and KVM_SET_VAPIC_ADDR: 8', () => {
    const client = new Client();
    const arg = client.place(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
    expect(requestOf(client, 'vcpu', 'KVM_SET_MP_STATE', arg).mpState.read()).toBe(0x0403_0201);
    const { mcgCap } = requestOf(client, 'vcpu', 'KVM_X86_SETUP_MCE', arg);
    expect(mcgCap.read()).toBe(0x0807_0605_0403_0201n);
    const { address } = requestOf(client, 'vcpu', 'KVM_SET_VAPIC_ADDR', arg);
    expect(address.read()).toBe(0x0807_0605_0403_0201n);
    expect(copies(client, arg)).toEqual(['read 4@0', 'read 8@0', 'read 8@0']);
  });

  test('KVM_IRQ_LINE_STATUS: a status below 0 goes back as an int', () => {
    const client = new Client();
    const arg = client.place(structs.kvm_irq_level.encode({ irq: 4, level: 1 }));
    const { line } = requestOf(client, 'vm', 'KVM_IRQ_LINE_STATUS', arg);
    expect(line.read()).toEqual({ irq: 4, level: 1 });
    expect(line.write({ irq: -1, level: 1 })).toBe(true);
    expect(client.peek(arg, 8)).toEqual(new Uint8Array([255, 255, 255, 255, 1, 0, 0, 0]));
  });
});

describe('every ioctl that has a number', () => {
  test('is a request of some file, by its own name', () => {
    const missing = Object.entries(ioctlNumbers).filter(([name, number]) => {
      const decoded = (['system', 'vm', 'vcpu', 'guest_memfd'] as const).map((file) =>
        new Client().decode(file, number, 0n),
      );
      return !decoded.some(({ kind, request }) => kind !== 'unknown' && request.request === name);
    });
    expect(missing).toEqual([]);
  });
});

describe('TDX commands', () => {
  test.each(Object.keys(tdxCommands) as (keyof typeof tdxCommands)[])('%s by its id', (name) => {
    for (const file of ['vm', 'vcpu'] as const) {
      const { cmd } = tdx(new Client(), file, name, 8n);
      expect(cmd.read()).toEqual({ id: tdxCommands[name], flags: 3, data: 8n, hwError: 5n });
    }
  });

  test('an id without a name, or one that cannot be read, stays KVM_MEMORY_ENCRYPT_OP', () => {
    const client = new Client();
    const arg = commandAt(client, 7);
    const { cmd } = requestOf(client, 'vm', 'KVM_MEMORY_ENCRYPT_OP', arg);
    expect(cmd.read()).toMatchObject({ id: 7 });
    const unreadable = requestOf(client, 'vm', 'KVM_MEMORY_ENCRYPT_OP', 0x1000n);
    expect(unreadable.cmd.read()).toBeUndefined();
  });

  test('the model reads 24 bytes again each time, and sees what changed meanwhile', () => {
    const client = new Client();
    const arg = commandAt(client, tdxCommands.KVM_TDX_GET_CPUID);
    const { cmd } = requestOf(
      client,
      'vcpu',
      'KVM_TDX_GET_CPUID',
      arg,
      ioctlNumbers.KVM_MEMORY_ENCRYPT_OP,
    );
    cmd.read();
    client.write(arg, structs.kvm_tdx_cmd.encode({ id: 5, hwError: 6n }));
    expect(cmd.read()).toEqual({ id: 5, flags: 0, data: 0n, hwError: 6n });
    const reads = copies(client, arg).filter((copy) => copy.startsWith('read'));
    expect(reads).toEqual(['read 4@0', 'read 24@0', 'read 24@0']);
  });

  test('hw_error goes back with the whole command', () => {
    const client = new Client();
    const arg = commandAt(client, tdxCommands.KVM_TDX_FINALIZE_VM, 9n);
    const { cmd } = requestOf(
      client,
      'vm',
      'KVM_TDX_FINALIZE_VM',
      arg,
      ioctlNumbers.KVM_MEMORY_ENCRYPT_OP,
    );
    const read = cmd.read();
    expect(read && cmd.write({ ...read, hwError: 0xdead_beefn })).toBe(true);
    expect(structs.kvm_tdx_cmd.decode(client.peek(arg, 24) ?? new Uint8Array())).toEqual({
      id: 4,
      flags: 3,
      data: 9n,
      hwError: 0xdead_beefn,
    });
  });

  test('data is followed as the command was read, and faults before', () => {
    const client = new Client();
    const at = client.place(structs.kvm_tdx_init_mem_region.encode({ nrPages: 4n }));
    const { cmd, data } = tdx(client, 'vcpu', 'KVM_TDX_INIT_MEM_REGION', at);
    expect(data.read()).toBeUndefined();
    cmd.read();
    expect(data.read()).toEqual({ sourceAddr: 0n, gpa: 0n, nrPages: 4n });
    expect(data.write({ sourceAddr: 1n, gpa: 2n, nrPages: 3n })).toBe(true);
    expect(copies(client, at).slice(2)).toEqual(['read 24@0', 'write 24@0']);
  });

  test('KVM_TDX_CAPABILITIES: nent alone, then the whole struct, zeros and all', () => {
    const client = new Client();
    const at = client.place(new Uint8Array(2056 + 80).fill(0xff));
    const { cmd, data } = tdx(client, 'vm', 'KVM_TDX_CAPABILITIES', at);
    cmd.read();
    expect(data.readNent()).toBe(0xffff_ffff);
    const written = data.write({
      supportedAttributes: 1n,
      supportedXfam: 2n,
      userTdvmcallInfo1R11: 3n,
      cpuid: [addressSizes],
    });
    expect(written).toBe(true);
    expect(copies(client, at).slice(2)).toEqual(['read 4@2048', 'write 2096@0']);
    const bytes = client.peek(at, 2136) ?? new Uint8Array();
    const header = structs.kvm_tdx_capabilities.decode(bytes);
    expect(header).toEqual({
      supportedAttributes: 1n,
      supportedXfam: 2n,
      userTdvmcallInfo1R11: 3n,
      nent: 1,
      padding: 0,
    });
    expect(bytes.subarray(32, 2048).every((byte) => byte === 0)).toBe(true);
    expect(bytes.subarray(2056, 2096)).toEqual(encodeEntries([addressSizes]));
    expect(bytes.subarray(2096).every((byte) => byte === 0xff)).toBe(true);
  });
});

describe('struct kvm_tdx_init_vm', () => {
  const mr = (fill: number) => new Uint8Array(48).fill(fill);
  const measurements = { mrConfigId: mr(1), mrOwner: mr(2), mrOwnerConfig: mr(3) };

  test('of Linux 7.3: nent alone, then 264 bytes and the entries', () => {
    const client = new Client();
    const header = structs.kvm_tdx_init_vm.encode({
      attributes: 1n << 28n,
      xfam: 3n,
      ...measurements,
      reserved: [0n, 7n],
      nent: 2,
      padding: 4,
    });
    const at = client.place(Buffer.concat([header, encodeEntries([addressSizes, x2apicLeaf])]));
    const { cmd, data } = tdx(client, 'vm', 'KVM_TDX_INIT_VM', at);
    cmd.read();
    expect(data.readNent()).toBe(2);
    expect(data.read(2)).toEqual({
      attributes: 1n << 28n,
      xfam: 3n,
      ...measurements,
      reserved: [0n, 7n, ...Array.from({ length: 10 }, () => 0n)],
      cpuid: { nent: 2, padding: 4, entries: [addressSizes, x2apicLeaf] },
    });
    expect(copies(client, at).slice(2)).toEqual(['read 4@256', 'read 344@0']);
    // One more than is mapped.
    expect(data.read(3)).toBeUndefined();
  });

  test('of series v9: 16384 bytes at once, max_vcpus at 8, xfam from CPUID leaf 0xd', () => {
    const client = new Client();
    client.kernelAbi = kernelAbis['series-v9'];
    const bytes = new Uint8Array(16384);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, 1n << 28n, true);
    view.setUint32(8, 64, true);
    bytes.set(mr(1), 16);
    bytes.set(mr(2), 64);
    bytes.set(mr(3), 112);
    view.setUint32(160, 3, true);
    view.setUint32(164, 4, true);
    const leaf = { ...addressSizes, function: 0xd, flags: 1, eax: 0, ebx: 0, ecx: 0, edx: 0 };
    const entries = [
      addressSizes,
      { ...leaf, index: 0, eax: 0x7, edx: 0x1 },
      { ...leaf, index: 1, ecx: 0x1800, edx: 0x2 },
    ];
    bytes.set(encodeEntries(entries), 168);
    view.setBigUint64(168 + 120, 9n, true);
    const at = client.place(bytes);
    const { cmd, data } = tdx(client, 'vm', 'KVM_TDX_INIT_VM', at);
    cmd.read();
    const init = data.read(405);
    expect(init).toEqual({
      attributes: 1n << 28n,
      maxVcpus: 64,
      xfam: 0x3_0000_1807n,
      ...measurements,
      reserved: [9n, ...Array.from({ length: 2011 }, () => 0n)],
      cpuid: { nent: 3, padding: 4, entries },
    });
    expect(copies(client, at).slice(2)).toEqual(['read 16384@0']);
  });

  test('of series v9: more entries than fit leave their number to be refused', () => {
    const client = new Client();
    client.kernelAbi = kernelAbis['series-v9'];
    const bytes = new Uint8Array(16384);
    new DataView(bytes.buffer).setUint32(160, 406, true);
    const { cmd, data } = tdx(client, 'vm', 'KVM_TDX_INIT_VM', client.place(bytes));
    cmd.read();
    expect(data.read(405)?.cpuid).toEqual({ nent: 406, padding: 0, entries: [] });
  });
});
