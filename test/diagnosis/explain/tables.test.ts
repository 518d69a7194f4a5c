/** The tables hold every code, operand and ordered check of the reference. The lists are its own. */
import { describe, expect, test } from 'vitest';
import { decodeStatus } from '../../../src/abi/tdx/status.ts';
import { allAnswers, explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { explainRequest } from '../../../src/diagnosis/explain/requests/explain-refusal.ts';
import { factsOf } from '../../../src/diagnosis/explain/requests/index.ts';
import { explainStatus, statusRows } from '../../../src/diagnosis/explain/status/explain-status.ts';
import { operandRows } from '../../../src/diagnosis/explain/status/operands.ts';
import { rareCodes } from '../../../src/diagnosis/explain/status/rare-codes.ts';
import { explainRefusal } from '../../../src/diagnosis/refusals.ts';

// tdx-module.md part 2.1: high halves, in its own order.
const statusCodes = `
  SUCCESS 00000000 NON_RECOVERABLE_VCPU 40000001 NON_RECOVERABLE_TD 60000002
  INTERRUPTED_RESUMABLE 80000003 INTERRUPTED_RESTARTABLE 80000004 INVALID_RESUMPTION C0000006
  OPERAND_INVALID C0000100 OPERAND_ADDR_RANGE_ERROR C0000101 OPERAND_BUSY 80000200
  PREVIOUS_TLB_EPOCH_BUSY 80000201 SYS_BUSY 80000202 RND_NO_ENTROPY 80000203
  OPERAND_BUSY_HOST_PRIORITY 80000204 PAGE_METADATA_INCORRECT C0000300 PAGE_NOT_FREE C0000303
  HPA_RANGE_NOT_FREE C0000304 MISSING_PAMT_PAGE_PAIR 80000308 TD_ASSOCIATED_PAGES_EXIST C0000400
  SYS_INIT_NOT_PENDING C0000500 SYS_LP_INIT_NOT_DONE C0000502 SYS_LP_INIT_DONE C0000503
  SYS_NOT_READY C0000505 SYS_SHUTDOWN C0000506 SYS_KEY_CONFIG_NOT_PENDING C0000507
  SYS_STATE_INCORRECT C0000508 SYS_INVALID_HANDOFF C0000509 SYS_LP_INIT_NOT_PENDING C000050B
  SYS_CONFIG_NOT_PENDING C000050C UPDATE_COMPATIBILITY_SENSITIVE 80000512 TD_FATAL E0000604
  TD_NON_DEBUG C0000605 TDCS_NOT_ALLOCATED C0000606 LIFECYCLE_STATE_INCORRECT C0000607
  OP_STATE_INCORRECT C0000608 NO_VCPUS C0000609 TDCX_NUM_INCORRECT C0000610
  X2APIC_ID_NOT_UNIQUE C0000621 INCOMPATIBLE_MRTD_CONTEXT C0000622 VCPU_STATE_INCORRECT C0000700
  VCPU_ASSOCIATED 80000701 VCPU_NOT_ASSOCIATED 80000702 MAX_VCPUS_EXCEEDED C0000705
  TSC_ROLLBACK C0000706 KEY_GENERATION_FAILED 80000800 TD_KEYS_NOT_CONFIGURED 80000810
  KEY_STATE_INCORRECT C0000811 KEY_CONFIGURED 00000815 WBCACHE_NOT_COMPLETE 80000817
  HKID_NOT_FREE C0000820 NO_HKID_READY_TO_WBCACHE 00000821 WBCACHE_RESUME_ERROR C0000823
  FLUSHVP_NOT_DONE 80000824 NUM_ACTIVATED_HKIDS_NOT_SUPPORTED C0000825
  LIMIT_CPUID_MAXVAL_SET C0000901 INCONSISTENT_MSR C0000920 TDMR_ALREADY_INITIALIZED 00000A03
  EPT_WALK_FAILED C0000B00 EPT_ENTRY_NOT_PRESENT C0000B03 TLB_TRACKING_NOT_DONE C0000B08
  EPT_ENTRY_STATE_INCORRECT C0000B0D METADATA_FIELD_ID_INCORRECT C0000C00
  METADATA_FIELD_NOT_READABLE C0000C02 SERVTD_ALREADY_BOUND_FOR_TYPE C0000D00
  SERVTD_TYPE_MISMATCH C0000D01 SERVTD_ATTR_MISMATCH C0000D02 SERVTD_INFO_HASH_MISMATCH C0000D03
  SERVTD_UUID_MISMATCH C0000D04 SERVTD_NOT_BOUND C0000D05 SERVTD_BOUND C0000D06
  INVALID_MBMD C0000E00 INCORRECT_MBMD_MAC C0000E01 MIGRATION_STREAM_STATE_INCORRECT C0000E05
  MAX_MIGS_NUM_EXCEEDED C0000E06 EXPORTED_DIRTY_PAGES_REMAIN C0000E07
  MIGRATION_DECRYPTION_KEY_NOT_SET C0000E08 TD_NOT_MIGRATABLE C0000E09
  PREVIOUS_EXPORT_CLEANUP_INCOMPLETE C0000E0A NUM_MIGS_HIGHER_THAN_CREATED C0000E0B
  IMPORT_MISMATCH C0000E0C SOME_VCPUS_NOT_MIGRATED C0000E12 ALL_VCPUS_IMPORTED C0000E13
  MIN_MIGS_NOT_CREATED C0000E14 VCPU_ALREADY_EXPORTED C0000E15 TD_NOT_INITIALIZED C0000600
  TD_INITIALIZED C0000601 TD_NOT_FINALIZED C0000602 TD_FINALIZED C0000603`
  .trim()
  .split(/\s+/)
  .flatMap((name, index, all) =>
    index % 2 === 0 ? [[`TDX_${name}`, BigInt(`0x${all[index + 1]}`) << 32n] as const] : [],
  );

const operandIds: Readonly<Record<string, number>> = {
  RAX: 0,
  RCX: 1,
  RDX: 2,
  RBX: 3,
  RBP: 5,
  RSI: 6,
  RDI: 7,
  R8: 8,
  R9: 9,
  R10: 10,
  R11: 11,
  R12: 12,
  R13: 13,
  R14: 14,
  R15: 15,
  ATTRIBUTES: 64,
  XFAM: 65,
  EXEC_CONTROLS: 66,
  EPTP_CONTROLS: 67,
  MAX_VCPUS: 68,
  CPUID_CONFIG: 69,
  TSC_FREQUENCY: 70,
  NUM_L2_VMS: 71,
  IA32_ARCH_CAPABILITIES_CONFIG: 72,
  TDR: 128,
  TDCX: 129,
  TDVPR: 130,
  TDCS: 144,
  TDVPS: 145,
  SEPT_TREE: 146,
  RTMR: 168,
  TD_EPOCH: 169,
  MIGSC: 171,
  OP_STATE: 172,
  MIG: 173,
  SERVTD_BINDINGS: 174,
  SYS: 184,
  TDMR: 185,
  KOT: 186,
  KET: 187,
  WBCACHE: 188,
};

describe('status words', () => {
  test('every code of the reference has an answer with its own id', () => {
    for (const [name, word] of statusCodes) {
      const { decoded, answer } = explainStatus(word);
      expect(decoded.name).toBe(name);
      expect(answer?.meaning, name).toBeTruthy();
      expect(answer?.next, name).toBeTruthy();
    }
    expect(Object.keys(statusRows).sort()).toEqual(statusCodes.map(([name]) => name).sort());
  });

  test('every operand id of the reference is named and described', () => {
    expect(Object.keys(operandRows).sort()).toEqual(Object.keys(operandIds).sort());
    for (const [name, id] of Object.entries(operandIds)) {
      const { decoded } = explainStatus((0xc000_0100n << 32n) | BigInt(id));
      expect(decoded.operand).toBe(name);
    }
  });

  test('every operand of TD_PARAMS has an answer of its own', () => {
    for (const id of [64, 65, 66, 67, 68, 69, 70, 71, 72]) {
      const { answer } = explainStatus((0xc000_0100n << 32n) | BigInt(id));
      expect(answer?.id).toMatch(/^td-params\./);
    }
  });

  test('rare codes are those that the ABI table does not have', () => {
    expect(rareCodes.filter(([high]) => decodeStatus(high << 32n).name !== undefined)).toEqual([]);
    const known = [
      ...rareCodes.map(([high]) => high),
      ...statusCodes.map(([, word]) => word >> 32n),
    ];
    expect(new Set(known).size).toBe(known.length);
  });
});

// kernel-abi.md parts 7.1 and 1.6: `step:ERRNO`, in order; 0 is what comes before every request.
const orderedChecks: Readonly<Record<string, string>> = {
  KVM_TDX_CAPABILITIES:
    '0:EIO 1:ENOTTY 2:EFAULT 3:EINVAL 4:EINVAL 5:EFAULT 6:E2BIG 7:ENOMEM 8:EIO 9:EFAULT',
  KVM_TDX_INIT_VM:
    '0:EIO 1:ENOTTY 2:EFAULT 3:EINVAL 4:EBUSY 5:EINTR 6:EINVAL 7:EINVAL 8:EFAULT 9:E2BIG 10:ENOMEM ' +
    '10:EFAULT 11:EINVAL 12:EINVAL 13:ENOMEM 14:EBUSY 15:EINVAL 16:EINVAL 17:EINVAL 18:EINVAL ' +
    '19:EINVAL 20:ENOSPC 21:EBUSY 22:ENOMEM 23:EIO 24:EAGAIN 25:EIO 26:EIO 27:EAGAIN 27:EIO ' +
    '28:EINVAL 29:EIO 30:EFAULT',
  KVM_CREATE_VCPU:
    '0:EIO 1:EINVAL 2:EINVAL 3:EEXIST 4:EINVAL 5:ENOMEM 6:EIO 7:EINVAL 8:ENOMEM 8:EMFILE 8:ENFILE',
  KVM_TDX_INIT_VCPU:
    '0:EIO 1:EINVAL 2:EFAULT 3:EINVAL 4:EBUSY 4:EINTR 5:EINVAL 6:EINVAL 7:EINVAL 8:EINVAL ' +
    '9:ENOMEM 10:EIO',
  KVM_TDX_INIT_MEM_REGION:
    '0:EIO 1:EINVAL 2:EFAULT 3:EINVAL 4:EBUSY 4:EINTR 5:EINVAL 6:EINVAL 7:EINVAL 8:EFAULT 9:EINVAL ' +
    '10:EINTR 11:EINVAL 12:EFAULT 13:EFAULT 13:ENOMEM 14:ENOMEM 14:EHWPOISON 14:EIO 15:EINVAL ' +
    '16:EIO 18:EIO 19:EFAULT',
  KVM_TDX_FINALIZE_VM:
    '0:EIO 1:ENOTTY 2:EFAULT 3:EINVAL 4:EBUSY 5:EINTR 6:EINVAL 7:EBUSY 8:EIO 9:EFAULT',
  KVM_TDX_GET_CPUID:
    '0:EIO 1:EINVAL 2:EFAULT 3:EINVAL 4:EBUSY 4:EINTR 5:EINVAL 6:EINTR 7:EINVAL 7:EFAULT 8:ENOMEM ' +
    '9:EFAULT 10:EIO 11:EFAULT 12:E2BIG 13:EFAULT',
  'KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL 2:EEXIST 3:EEXIST',
  'KVM_ENABLE_CAP(KVM_CAP_X2APIC_API)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL 2:EINVAL 3:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_EXIT_HYPERCALL)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPU_ID)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL 2:EINVAL 3:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_X86_APIC_BUS_CYCLES_NS)':
    '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL 2:ENXIO 3:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_VM_COPY_ENC_CONTEXT_FROM)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_PMU_CAPABILITY)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL 2:EINVAL 3:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_X86_BUS_LOCK_EXIT)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL 2:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_X86_NOTIFY_VMEXIT)':
    '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL 2:EINVAL 3:EINVAL 4:EINVAL',
  'KVM_ENABLE_CAP(KVM_CAP_DISABLE_QUIRKS2)': '0:EIO 0:EFAULT 0:EINVAL 1:EINVAL',
};

describe('refusals', () => {
  test.each(Object.entries(orderedChecks))('%s has every check, in order', (request, expected) => {
    const checks = factsOf(request)?.checks.filter(({ kernels }) => kernels === undefined);
    expect(checks?.map(({ step, errno }) => `${step}:${errno}`).join(' ')).toBe(expected);
  });

  test.each(Object.entries(orderedChecks))(
    '%s has an answer for each errno',
    (request, expected) => {
      for (const errno of new Set(expected.split(' ').map((check) => check.split(':')[1] ?? ''))) {
        const { answer, checks } = explainRequest({ request, errno });
        expect(checks.length, errno).toBeGreaterThan(0);
        expect(answer?.meaning, errno).toBeTruthy();
      }
    },
  );
});

test('every request and errno of the reference is recognised when it is typed', () => {
  for (const [request, expected] of Object.entries(orderedChecks)) {
    for (const errno of new Set(expected.split(' ').map((check) => check.split(':')[1] ?? ''))) {
      const { explanations } = explainTyped(`${errno} ${request}`);
      expect(explanations.map(({ refusal }) => refusal?.request)).toEqual([request]);
      expect(explanations.map(({ refusal }) => refusal?.errno)).toEqual([errno]);
    }
  }
});

describe('answers', () => {
  test('have ids that are stable words, each once', () => {
    const ids = allAnswers().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      ids.filter((id) => !/^[a-z]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/.test(id)),
    ).toEqual([]);
  });

  test('are clauses: no full stop, no capital but for names', () => {
    for (const { id, meaning, next, causes = [] } of allAnswers()) {
      for (const text of [meaning, next, ...causes]) expect(text, id).not.toMatch(/\.$|[’“”]/);
    }
  });

  test('an unknown request or errno still gives words to tdctl run', () => {
    expect(explainRefusal({ request: 'KVM_SOMETHING', errno: 'EDOM' })).toMatchObject({
      code: 'TDCTL_E_IOCTL',
      meaning: 'the kernel refused it',
    });
  });
});
