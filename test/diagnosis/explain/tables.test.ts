/** Every code, operand and ordered check has its answer. */
import { describe, expect, test } from 'vitest';
import { decodeStatus, statusCodes } from '../../../src/abi/tdx/status.ts';
import { allAnswers, explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { explainRequest } from '../../../src/diagnosis/explain/requests/explain-refusal.ts';
import { factsOf } from '../../../src/diagnosis/explain/requests/index.ts';
import { explainStatus } from '../../../src/diagnosis/explain/status/explain-status.ts';
import { rareCodes } from '../../../src/diagnosis/explain/status/rare-codes.ts';
import { explainRefusal } from '../../../src/diagnosis/refusals.ts';

describe('status words', () => {
  test.each(Object.entries(statusCodes))('%s says what it means and what to do', (name, word) => {
    const { decoded, answer } = explainStatus(word);
    expect(decoded.name).toBe(name);
    expect(answer?.meaning).toBeTruthy();
    expect(answer?.next).toBeTruthy();
  });

  // Bits 59:48 are reserved; a host may try again only where bit 62 is clear.
  test.each(Object.entries(statusCodes))('%s has the bits that its name promises', (name, word) => {
    const { error, fatal, nonRecoverable } = decodeStatus(word);
    expect((word >> 48n) & 0xfffn).toBe(0n);
    if (/BUSY|INTERRUPTED|ENTROPY/.test(name)) {
      expect([error, nonRecoverable]).toEqual([true, false]);
    }
    if (/NON_RECOVERABLE|INVALID|INCORRECT|MISMATCH/.test(name)) expect(nonRecoverable).toBe(true);
    if (/FATAL|NON_RECOVERABLE_TD/.test(name)) expect(fatal).toBe(true);
    if (fatal) expect(nonRecoverable).toBe(true);
  });

  test('every operand of TD_PARAMS has an answer of its own', () => {
    for (const id of [64, 65, 66, 67, 68, 69, 70, 71, 72]) {
      const { answer } = explainStatus((0xc000_0100n << 32n) | BigInt(id));
      expect(answer?.id).toMatch(/^td-params\./);
    }
  });

  test('rare codes are those that the ABI table does not have', () => {
    expect(rareCodes.filter(([high]) => decodeStatus(high << 32n).name !== undefined)).toEqual([]);
    expect(new Set(rareCodes.map(([high]) => high)).size).toBe(rareCodes.length);
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
