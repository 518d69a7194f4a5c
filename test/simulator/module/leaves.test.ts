/** The module alone, leaf by leaf: what KVM never asks of it, too. */
import { describe, expect, test } from 'vitest';
import type { SeamcallName } from '../../../src/abi/tdx/seamcalls.ts';
import { seamcalls } from '../../../src/abi/tdx/seamcalls.ts';
import { formatStatus, statusCodes, statusWord } from '../../../src/abi/tdx/status.ts';
import type { TdParams } from '../../../src/abi/tdx/td-params.ts';
import { cpuidValuesField, tdFields } from '../../../src/simulator/module/metadata-fields.ts';
import { TdxModule } from '../../../src/simulator/module/tdx-module.ts';
import type { InstalledModule } from '../../../src/simulator/platform.ts';
import { spr15 } from '../../../src/simulator/profiles/hosts/spr-1.5.ts';
import { Trace } from '../../../src/simulator/trace.ts';
import { tdParams } from '../td-params.ts';

const ok = statusCodes.TDX_SUCCESS;
const p = (n: number) => n * 4096;
const tdr = p(1);
const hkid = 65;
const secondPackage = 112;

function newModule(installed: InstalledModule = { release: '1.5.28' }): TdxModule {
  return new TdxModule(spr15, installed, {}, new Trace());
}

function created(module = newModule()): TdxModule {
  expect(module.seamcall('TDH.MNG.CREATE', { rcx: tdr, rdx: hkid })).toBe(ok);
  return module;
}

function configured(module = newModule()): TdxModule {
  created(module);
  expect(module.seamcall('TDH.MNG.KEY.CONFIG', { rcx: tdr }, 0)).toBe(ok);
  expect(module.seamcall('TDH.MNG.KEY.CONFIG', { rcx: tdr }, secondPackage)).toBe(ok);
  return module;
}

function withTdcs(module = newModule()): TdxModule {
  configured(module);
  for (let i = 0; i < module.release.tdcxPages.base; i++) {
    expect(module.seamcall('TDH.MNG.ADDCX', { rcx: p(10 + i), rdx: tdr })).toBe(ok);
  }
  return module;
}

function initialized(change: Partial<TdParams> = {}): TdxModule {
  const module = withTdcs();
  expect(module.seamcall('TDH.MNG.INIT', { rcx: tdr, rdx: tdParams(change) })).toBe(ok);
  return module;
}

function addVcpu(module: TdxModule, at: number, x2apicId = at, cpu = 0): bigint {
  module.seamcall('TDH.VP.CREATE', { rcx: p(at), rdx: tdr });
  for (let i = 1; i < 6; i++) module.seamcall('TDH.VP.ADDCX', { rcx: p(at + i), rdx: p(at) });
  return module.seamcall('TDH.VP.INIT', { rcx: p(at), rdx: 0n, r8: x2apicId }, cpu);
}

function addPage(module: TdxModule, gpa: number): void {
  for (const level of [3, 2, 1]) {
    module.seamcall('TDH.MEM.SEPT.ADD', { rcx: level, rdx: tdr, r8: p(200 + level) });
  }
  const r9 = new Uint8Array(4096);
  expect(module.seamcall('TDH.MEM.PAGE.ADD', { rcx: gpa, rdx: tdr, r8: p(300), r9 })).toBe(ok);
}

const is = (status: bigint, ...expected: Parameters<typeof statusWord>) =>
  expect(formatStatus(status)).toBe(formatStatus(statusWord(...expected)));

describe('a page operand', () => {
  test('a page that is unaligned, outside memory or of the wrong type is refused with its register', () => {
    const module = newModule();
    const create = (rcx: number) => module.seamcall('TDH.MNG.CREATE', { rcx, rdx: hkid });
    is(create(100), 'TDX_OPERAND_INVALID', 'RCX');
    is(create(2 ** 50), 'TDX_OPERAND_ADDR_RANGE_ERROR', 'RCX');
    expect(create(tdr)).toBe(ok);
    is(create(tdr), 'TDX_PAGE_METADATA_INCORRECT', 'RCX');
  });

  test('every leaf refuses a TDR that is none', () => {
    const module = newModule();
    const none = { rcx: tdr };
    for (const leaf of [
      'TDH.MNG.KEY.CONFIG',
      'TDH.MR.FINALIZE',
      'TDH.MNG.VPFLUSHDONE',
      'TDH.MNG.KEY.FREEID',
      'TDH.MEM.TRACK',
    ] as const) {
      is(module.seamcall(leaf, none), 'TDX_PAGE_METADATA_INCORRECT', 'RCX');
    }
  });
});

describe('the leaves of a TD’s life', () => {
  test('MNG.CREATE: a key ID that is not private, and one that is not free', () => {
    const module = newModule();
    const create = (rdx: number) => module.seamcall('TDH.MNG.CREATE', { rcx: tdr, rdx });
    is(create(1), 'TDX_OPERAND_INVALID', 'RDX');
    is(create(64), 'TDX_HKID_NOT_FREE');
    expect(create(hkid)).toBe(ok);
    is(module.seamcall('TDH.MNG.CREATE', { rcx: p(2), rdx: hkid }), 'TDX_HKID_NOT_FREE');
  });

  test('MNG.KEY.CONFIG: once on each package; again is informational, after the last a wrong state', () => {
    const module = created();
    const config = (cpu: number) => module.seamcall('TDH.MNG.KEY.CONFIG', { rcx: tdr }, cpu);
    expect(config(0)).toBe(ok);
    is(config(1), 'TDX_KEY_CONFIGURED');
    is(module.seamcall('TDH.MNG.ADDCX', { rcx: p(10), rdx: tdr }), 'TDX_TD_KEYS_NOT_CONFIGURED');
    expect(config(secondPackage)).toBe(ok);
    is(config(0), 'TDX_LIFECYCLE_STATE_INCORRECT');
  });

  test('MNG.ADDCX: no more than the maximum, and none after MNG.INIT', () => {
    const module = withTdcs();
    const add = (n: number) => module.seamcall('TDH.MNG.ADDCX', { rcx: p(n), rdx: tdr });
    for (const n of [20, 21, 22]) expect(add(n)).toBe(ok);
    is(add(23), 'TDX_TDCX_NUM_INCORRECT');
    is(initialized().seamcall('TDH.MNG.ADDCX', { rcx: p(20), rdx: tdr }), 'TDX_OP_STATE_INCORRECT');
  });

  test('MNG.INIT: needs all TDCX pages, and works once', () => {
    const init = (module: TdxModule) =>
      module.seamcall('TDH.MNG.INIT', { rcx: tdr, rdx: tdParams() });
    is(init(configured()), 'TDX_TDCS_NOT_ALLOCATED');
    is(init(initialized()), 'TDX_OP_STATE_INCORRECT');
  });

  test('VP.INIT: pages, state, x2APIC id, and one vCPU more than MAX_VCPUS', () => {
    const module = initialized({ maxVcpus: 2 });
    module.seamcall('TDH.VP.CREATE', { rcx: p(30), rdx: tdr });
    const early = module.seamcall('TDH.VP.INIT', { rcx: p(30), rdx: 0n, r8: 0 });
    is(early, 'TDX_TDCX_NUM_INCORRECT');
    expect(addVcpu(module, 40, 1)).toBe(ok);
    expect(module.out.rsi).toBe(0n);
    is(module.seamcall('TDH.VP.INIT', { rcx: p(40), rdx: 0n, r8: 9 }), 'TDX_VCPU_STATE_INCORRECT');
    is(addVcpu(module, 50, 1), 'TDX_X2APIC_ID_NOT_UNIQUE');
    expect(addVcpu(module, 60, 2)).toBe(ok);
    is(addVcpu(module, 70, 3), 'TDX_MAX_VCPUS_EXCEEDED');
  });

  test('VP.ADDCX: no more than 15 pages, and none after VP.INIT', () => {
    const module = initialized();
    module.seamcall('TDH.VP.CREATE', { rcx: p(30), rdx: tdr });
    const add = (n: number) => module.seamcall('TDH.VP.ADDCX', { rcx: p(n), rdx: p(30) });
    for (let n = 31; n < 45; n++) expect(add(n)).toBe(ok);
    is(add(45), 'TDX_TDCX_NUM_INCORRECT');
    module.seamcall('TDH.VP.INIT', { rcx: p(30), rdx: 0n, r8: 0 });
    is(add(46), 'TDX_VCPU_STATE_INCORRECT');
  });

  test('VP.ENTER: once the TD is finalised, on the logical CPU that holds the vCPU or on any', () => {
    const module = initialized();
    addVcpu(module, 30, 0, 5);
    const enter = (cpu: number, page = 30) =>
      module.seamcall('TDH.VP.ENTER', { rcx: p(page) }, cpu);
    is(enter(5, 31), 'TDX_PAGE_METADATA_INCORRECT', 'RCX');
    is(enter(5), 'TDX_OP_STATE_INCORRECT');
    module.seamcall('TDH.VP.CREATE', { rcx: p(60), rdx: tdr });
    expect(module.seamcall('TDH.MR.FINALIZE', { rcx: tdr })).toBe(ok);
    is(enter(5, 60), 'TDX_VCPU_STATE_INCORRECT');
    is(enter(4), 'TDX_VCPU_ASSOCIATED');
    expect(enter(5)).toBe(ok);
    expect(module.seamcall('TDH.VP.FLUSH', { rcx: p(30) }, 5)).toBe(ok);
    expect(enter(4)).toBe(ok);
    // Entered again, it is associated again: the key cannot be freed before another flush.
    is(module.seamcall('TDH.MNG.VPFLUSHDONE', { rcx: tdr }), 'TDX_FLUSHVP_NOT_DONE');
    expect(module.seamcall('TDH.VP.FLUSH', { rcx: p(30) }, 4)).toBe(ok);
    expect(module.seamcall('TDH.MNG.VPFLUSHDONE', { rcx: tdr })).toBe(ok);
    is(enter(4), 'TDX_TD_KEYS_NOT_CONFIGURED');
  });

  test('MNG.KEY.RECLAIMID: nothing, always a success', () => {
    const module = initialized();
    expect(module.seamcall('TDH.MNG.KEY.RECLAIMID', { rcx: tdr })).toBe(ok);
  });

  test('VP.FLUSH: only on the logical CPU that holds the vCPU, and once', () => {
    const module = initialized();
    addVcpu(module, 30, 0, 5);
    const flush = (cpu: number) => module.seamcall('TDH.VP.FLUSH', { rcx: p(30) }, cpu);
    is(flush(4), 'TDX_VCPU_NOT_ASSOCIATED');
    expect(flush(5)).toBe(ok);
    is(flush(5), 'TDX_VCPU_NOT_ASSOCIATED');
  });

  test('MEM.SEPT.ADD: level, walk, and an entry that is there', () => {
    const module = initialized();
    const add = (rcx: number) => module.seamcall('TDH.MEM.SEPT.ADD', { rcx, rdx: tdr, r8: p(100) });
    is(add(0), 'TDX_OPERAND_INVALID', 'RCX');
    is(add(4), 'TDX_OPERAND_INVALID', 'RCX');
    is(add(4096 + 1), 'TDX_OPERAND_INVALID', 'RCX');
    is(add(2 ** 47 + 3), 'TDX_OPERAND_INVALID', 'RCX');
    is(add(2), 'TDX_EPT_WALK_FAILED', 'RCX');
    expect(add(3)).toBe(ok);
    is(add(3), 'TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
  });

  test('MEM.PAGE.ADD: address, walk, entry, source, target', () => {
    const module = initialized();
    const add = (rcx: number, r8 = p(301), r9 = new Uint8Array(4096)) =>
      module.seamcall('TDH.MEM.PAGE.ADD', { rcx, rdx: tdr, r8, r9 });
    is(add(1), 'TDX_OPERAND_INVALID', 'RCX');
    is(add(2 ** 47), 'TDX_OPERAND_INVALID', 'RCX');
    is(add(0), 'TDX_EPT_WALK_FAILED', 'RCX');
    addPage(module, 0);
    is(add(0), 'TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
    is(add(4096, p(301), new Uint8Array(100)), 'TDX_OPERAND_INVALID', 'R9');
    is(add(4096, tdr), 'TDX_PAGE_METADATA_INCORRECT', 'R8');
    expect(add(4096)).toBe(ok);
  });

  test('MR.EXTEND: alignment, no table, no page', () => {
    const module = initialized();
    const extend = (rcx: number) => module.seamcall('TDH.MR.EXTEND', { rcx, rdx: tdr });
    addPage(module, 0);
    expect(extend(0x300)).toBe(ok);
    is(extend(0x80), 'TDX_OPERAND_INVALID', 'RCX');
    is(extend(2 ** 30), 'TDX_EPT_ENTRY_NOT_PRESENT', 'RCX');
    is(extend(0x1000), 'TDX_EPT_ENTRY_NOT_PRESENT');
  });

  test('MR.FINALIZE: needs a vCPU; afterwards nothing can be added or measured', () => {
    const module = initialized();
    is(module.seamcall('TDH.MR.FINALIZE', { rcx: tdr }), 'TDX_NO_VCPUS');
    addVcpu(module, 30);
    addPage(module, 0);
    expect(module.seamcall('TDH.MR.FINALIZE', { rcx: tdr })).toBe(ok);
    is(module.seamcall('TDH.MR.FINALIZE', { rcx: tdr }), 'TDX_OP_STATE_INCORRECT');
    is(module.seamcall('TDH.MR.EXTEND', { rcx: 0, rdx: tdr }), 'TDX_OP_STATE_INCORRECT');
    is(module.seamcall('TDH.VP.CREATE', { rcx: p(50), rdx: tdr }), 'TDX_OP_STATE_INCORRECT');
  });

  test('MEM.PAGE.REMOVE: blocked first; nothing is to be tracked of a TD that has not run', () => {
    const module = initialized();
    addPage(module, 0);
    const page = { rcx: 0, rdx: tdr };
    is(module.seamcall('TDH.MEM.PAGE.REMOVE', page), 'TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
    expect(module.seamcall('TDH.MEM.RANGE.BLOCK', page)).toBe(ok);
    expect(module.seamcall('TDH.MEM.PAGE.REMOVE', page)).toBe(ok);
  });

  test('MEM.PAGE.REMOVE of a finalised TD: blocked first, and tracked after that', () => {
    const module = initialized();
    addVcpu(module, 30);
    addPage(module, 0);
    expect(module.seamcall('TDH.MR.FINALIZE', { rcx: tdr })).toBe(ok);
    const page = { rcx: 0, rdx: tdr };
    is(module.seamcall('TDH.MEM.PAGE.REMOVE', page), 'TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
    expect(module.seamcall('TDH.MEM.RANGE.BLOCK', page)).toBe(ok);
    is(module.seamcall('TDH.MEM.RANGE.BLOCK', page), 'TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
    is(module.seamcall('TDH.MEM.PAGE.REMOVE', page), 'TDX_TLB_TRACKING_NOT_DONE');
    expect(module.seamcall('TDH.MEM.TRACK', { rcx: tdr })).toBe(ok);
    expect(module.seamcall('TDH.MEM.PAGE.REMOVE', page)).toBe(ok);
    expect(module.seamcall('TDH.PHYMEM.PAGE.WBINVD', { rcx: p(300) })).toBe(ok);
  });

  test('MNG.RD: fields of the TD, with or without bit 63', () => {
    const module = initialized({ maxVcpus: 3 });
    for (const rdx of [tdFields.MAX_VCPUS, tdFields.MAX_VCPUS | (1n << 63n)]) {
      expect(module.seamcall('TDH.MNG.RD', { rcx: tdr, rdx })).toBe(ok);
      expect(module.out.r8).toBe(3n);
    }
    const leaf0 = cpuidValuesField(0, undefined, 0);
    expect(leaf0 | (1n << 63n)).toBe(0x94100003000001fen);
    expect(module.seamcall('TDH.MNG.RD', { rcx: tdr, rdx: leaf0 })).toBe(ok);
    expect(module.out.r8).toBe(0x756e6547_00000023n);
    is(module.seamcall('TDH.MNG.RD', { rcx: tdr, rdx: 5n }), 'TDX_METADATA_FIELD_NOT_READABLE');
  });

  test('teardown: flush, write back on each package, free the key, reclaim with the TDR last', () => {
    const module = initialized();
    addVcpu(module, 30);
    const down = (leaf: SeamcallName & ('TDH.MNG.VPFLUSHDONE' | 'TDH.MNG.KEY.FREEID')) =>
      module.seamcall(leaf, { rcx: tdr });
    const writeBack = (rcx: number, cpu: number) =>
      module.seamcall('TDH.PHYMEM.CACHE.WB', { rcx }, cpu);
    const reclaim = (rcx: number) => module.seamcall('TDH.PHYMEM.PAGE.RECLAIM', { rcx });

    is(down('TDH.MNG.VPFLUSHDONE'), 'TDX_FLUSHVP_NOT_DONE');
    is(writeBack(0, 0), 'TDX_NO_HKID_READY_TO_WBCACHE');
    is(down('TDH.MNG.KEY.FREEID'), 'TDX_LIFECYCLE_STATE_INCORRECT');
    is(reclaim(tdr), 'TDX_LIFECYCLE_STATE_INCORRECT');
    module.seamcall('TDH.VP.FLUSH', { rcx: p(30) });
    expect(down('TDH.MNG.VPFLUSHDONE')).toBe(ok);
    is(down('TDH.MNG.VPFLUSHDONE'), 'TDX_LIFECYCLE_STATE_INCORRECT');
    is(module.seamcall('TDH.MNG.CREATE', { rcx: p(9), rdx: hkid }), 'TDX_HKID_NOT_FREE');
    is(writeBack(2, 0), 'TDX_OPERAND_INVALID', 'RCX');
    expect(writeBack(0, 0)).toBe(ok);
    is(writeBack(1, 0), 'TDX_WBCACHE_RESUME_ERROR');
    is(down('TDH.MNG.KEY.FREEID'), 'TDX_WBCACHE_NOT_COMPLETE');
    expect(writeBack(0, secondPackage)).toBe(ok);
    expect(down('TDH.MNG.KEY.FREEID')).toBe(ok);

    is(reclaim(p(9)), 'TDX_PAGE_METADATA_INCORRECT', 'RCX');
    is(reclaim(tdr), 'TDX_TD_ASSOCIATED_PAGES_EXIST');
    for (let n = 10; n < 16; n++) expect(reclaim(p(n))).toBe(ok);
    for (let n = 30; n < 36; n++) expect(reclaim(p(n))).toBe(ok);
    expect(reclaim(tdr)).toBe(ok);
    expect(module.seamcall('TDH.MNG.CREATE', { rcx: tdr, rdx: hkid })).toBe(ok);
  });

  test('a TD can be torn down before its keys are configured', () => {
    const module = created();
    expect(module.seamcall('TDH.MNG.VPFLUSHDONE', { rcx: tdr })).toBe(ok);
  });

  test('1.0 has codes of its own for a wrong state', () => {
    const profile = { ...spr15, module: undefined };
    const module = new TdxModule(profile, { release: '1.0' }, {}, new Trace());
    withTdcs(module);
    is(module.seamcall('TDH.MR.FINALIZE', { rcx: tdr }), 'TDX_TD_NOT_INITIALIZED');
    module.seamcall('TDH.MNG.INIT', { rcx: tdr, rdx: tdParams() });
    is(module.seamcall('TDH.MNG.INIT', { rcx: tdr, rdx: tdParams() }), 'TDX_TD_INITIALIZED');
    addVcpu(module, 30);
    module.seamcall('TDH.MR.FINALIZE', { rcx: tdr });
    is(module.seamcall('TDH.MR.FINALIZE', { rcx: tdr }), 'TDX_TD_FINALIZED');
  });

  test('leaves have one number each', () => {
    const numbers = Object.values(seamcalls);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

describe('TD_PARAMS', () => {
  function initWith(change: Partial<TdParams>, installed?: InstalledModule): bigint {
    const module = withTdcs(newModule(installed));
    return module.seamcall('TDH.MNG.INIT', { rcx: tdr, rdx: tdParams(change) });
  }

  test.each<[string, Partial<TdParams>, Parameters<typeof statusWord>]>([
    ['a reserved attribute', { attributes: 2n }, ['TDX_OPERAND_INVALID', 'ATTRIBUTES']],
    [
      'migratable and debug',
      { attributes: (1n << 29n) | 1n },
      ['TDX_OPERAND_INVALID', 'ATTRIBUTES'],
    ],
    ['XFAM without SSE', { xfam: 1n }, ['TDX_OPERAND_INVALID', 'XFAM']],
    ['XFAM with half of AVX-512', { xfam: 0x27n }, ['TDX_OPERAND_INVALID', 'XFAM']],
    ['XFAM that no CPU has', { xfam: 0x10003n }, ['TDX_OPERAND_INVALID', 'XFAM']],
    ['no vCPUs', { maxVcpus: 0 }, ['TDX_OPERAND_INVALID', 'MAX_VCPUS']],
    ['577 vCPUs', { maxVcpus: 577 }, ['TDX_OPERAND_INVALID', 'MAX_VCPUS']],
    ['4 L2 VMs', { numL2Vms: 4 }, ['TDX_OPERAND_INVALID', 'NUM_L2_VMS']],
    ['an L2 VM without its TDCX page', { numL2Vms: 1 }, ['TDX_TDCS_NOT_ALLOCATED']],
    ['unknown CONFIG_FLAGS', { configFlags: 0x20n }, ['TDX_OPERAND_INVALID', 'EXEC_CONTROLS']],
    ['EPTP of 3 levels', { eptpControls: 0x16n }, ['TDX_OPERAND_INVALID', 'EPTP_CONTROLS']],
    ['GPAW with 4 levels', { configFlags: 1n }, ['TDX_OPERAND_INVALID', 'EPTP_CONTROLS']],
    ['a TSC below 100 MHz', { tscFrequency: 3 }, ['TDX_OPERAND_INVALID', 'TSC_FREQUENCY']],
    ['a TSC above 10 GHz', { tscFrequency: 401 }, ['TDX_OPERAND_INVALID', 'TSC_FREQUENCY']],
    ['reserved MSR_CONFIG_CTLS', { msrConfigCtls: 2 }, ['TDX_OPERAND_INVALID', 'RDX']],
    [
      'ARCH_CAPABILITIES that is not valid',
      { ia32ArchCapabilitiesConfig: 1n },
      ['TDX_OPERAND_INVALID', 'IA32_ARCH_CAPABILITIES_CONFIG'],
    ],
  ])('TD_PARAMS with %s are refused', (_what, change, expected) => {
    is(initWith(change), ...expected);
  });

  test('the first field of TD_PARAMS that is wrong decides', () => {
    const wrong = { attributes: 2n, xfam: 0n, maxVcpus: 0, tscFrequency: 0 };
    is(initWith(wrong), 'TDX_OPERAND_INVALID', 'ATTRIBUTES');
    is(initWith({ ...wrong, attributes: 0n }), 'TDX_OPERAND_INVALID', 'XFAM');
    is(initWith({ ...wrong, attributes: 0n, xfam: 3n }), 'TDX_OPERAND_INVALID', 'MAX_VCPUS');
  });

  test('MAX_VCPUS by release: any in 1.5.01, 576 in 1.5, 1376 in 2.0', () => {
    expect(initWith({ maxVcpus: 0xffff }, { release: '1.5.01' })).toBe(ok);
    expect(initWith({ maxVcpus: 576 }, { release: '1.5.05' })).toBe(ok);
    is(initWith({ maxVcpus: 577 }, { release: '1.5.05' }), 'TDX_OPERAND_INVALID', 'MAX_VCPUS');
    expect(initWith({ maxVcpus: 1376 }, { release: '2.0.08' })).toBe(ok);
    is(initWith({ maxVcpus: 1377 }, { release: '2.0.08' }), 'TDX_OPERAND_INVALID', 'MAX_VCPUS');
  });

  test('577 vCPUs have the very word that Intel gives for them', () => {
    expect(initWith({ maxVcpus: 577 })).toBe(0xc000010000000044n);
  });

  test('CPUID_CONFIG: a bit that cannot be chosen, with its leaf in RCX', () => {
    const module = withTdcs();
    const none = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    const cpuidConfig = [none, { ...none, eax: 1 << 10 }];
    const status = module.seamcall('TDH.MNG.INIT', { rcx: tdr, rdx: tdParams({ cpuidConfig }) });
    is(status, 'TDX_OPERAND_INVALID', 'CPUID_CONFIG');
    expect(module.out.rcx).toBe(4n);
  });

  test("CPUID_CONFIG: family, model and stepping are 0 or the CPU's own", () => {
    const row = (eax: number) => ({ cpuidConfig: [{ eax, ebx: 0, ecx: 0, edx: 0 }] });
    expect(initWith(row(0x000806f8))).toBe(ok);
    is(initWith(row(0x000806f7)), 'TDX_OPERAND_INVALID', 'CPUID_CONFIG');
  });

  test('CPUID_CONFIG: slots beyond the leaves must be 0', () => {
    const cpuidConfig = Array.from({ length: 29 }, (_, i) => ({
      eax: i === 28 ? 1 : 0,
      ebx: 0,
      ecx: 0,
      edx: 0,
    }));
    is(initWith({ cpuidConfig }), 'TDX_OPERAND_INVALID', 'RDX');
  });
});
