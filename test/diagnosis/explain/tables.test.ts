/** Every code, operand and ordered check has its answer. */
import { describe, expect, test } from 'vitest';
import { book, checkedRequests, errnosOf, isCheckName } from '../../../src/abi/kvm/checks/index.ts';
import { kernelAbis } from '../../../src/abi/kvm/kernels/index.ts';
import type { KernelAbi } from '../../../src/abi/kvm/kernels/record.ts';
import { decodeStatus, statusCodes } from '../../../src/abi/tdx/status.ts';
import { allAnswers, explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { explainRequest } from '../../../src/diagnosis/explain/requests/explain-refusal.ts';
import { handWrittenAnswers } from '../../../src/diagnosis/explain/requests/index.ts';
import { checksOf } from '../../../src/diagnosis/explain/requests/numbered-checks.ts';
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

const kernels: readonly KernelAbi[] = Object.values(kernelAbis);

describe.each(kernels)('refusals by $name', (kernel) => {
  test("every check of every request that gives an errno is shown for it, in the kernel's order", () => {
    for (const request of checkedRequests) {
      const order = kernel.checks[request];
      for (const errno of new Set(order.flatMap((name) => errnosOf(book[name])))) {
        const { checks, answer } = explainRequest({ request, errno, kernel });
        const expected = order.filter((name) => errnosOf(book[name]).includes(errno));
        expect(
          checks.map(({ name }) => name),
          `${errno} ${request}`,
        ).toEqual(expected);
        expect(answer?.meaning, `${errno} ${request}`).toBeTruthy();
      }
    }
  });

  test('the steps are numbered by their place, what comes before all has none', () => {
    for (const request of checkedRequests) {
      const numbered = checksOf(request, kernel);
      const own = numbered.filter(({ name = '' }) => !/^(file|vm|vcpu)\./.test(name));
      expect(own.map(({ step }) => step)).toEqual(own.map((_, index) => index + 1));
      expect(numbered.slice(0, -own.length || undefined).every(({ step }) => step === 0)).toBe(
        true,
      );
    }
  });

  test('a check that is known is the answer: its condition and its remedy', () => {
    for (const request of checkedRequests) {
      for (const check of kernel.checks[request]) {
        const [errno = ''] = errnosOf(book[check]);
        const { answer, checks } = explainRequest({ request, errno, kernel, check });
        const { when, remedy } = book[check];
        expect(answer).toMatchObject({ id: check, meaning: when, next: remedy });
        expect(checks.map(({ name }) => name)).toEqual([check]);
      }
    }
  });
});

test('a kernel record that is in no list is explained like any other', () => {
  const kernel: KernelAbi = {
    ...kernelAbis['upstream-7.3'],
    name: 'mine',
    checks: {
      ...kernelAbis['upstream-7.3'].checks,
      KVM_CREATE_VCPU: ['vm.dead', 'create-vcpu.irqchip', 'create-vcpu.id-range'],
    },
  };
  const { checks, answer } = explainRequest({ request: 'KVM_CREATE_VCPU', errno: 'EIO', kernel });
  expect(checks.map(({ name, step }) => [name, step])).toEqual([['vm.dead', 0]]);
  expect(answer?.id).toBe('vm.dead');
  const refused = explainRequest({ request: 'KVM_CREATE_VCPU', errno: 'EINVAL', kernel });
  expect(refused.checks.map(({ step }) => step)).toEqual([1, 2]);
  expect(refused.kernel).toBe('mine');
});

test('every request and errno of the book is recognised when it is typed', () => {
  const kernel = kernelAbis['upstream-7.3'];
  const typed = checkedRequests.filter((name) => !/ on |^KVM_MEMORY_ENCRYPT_OP$/.test(name));
  for (const request of typed) {
    for (const errno of new Set(kernel.checks[request].flatMap((name) => errnosOf(book[name])))) {
      const { explanations } = explainTyped(`${errno} ${request}`);
      expect(explanations.map(({ refusal }) => refusal?.request)).toEqual([request]);
      expect(explanations.map(({ refusal }) => refusal?.errno)).toEqual([errno]);
    }
  }
});

test('every check is explained by its name: who makes it, and from which source', () => {
  for (const name of Object.keys(book)) {
    const [found, ...others] = explainTyped(name).explanations;
    expect(others).toEqual([]);
    expect(found).toMatchObject({ answer: { id: name }, check: { name } });
  }
  const [mismatch] = explainTyped('init-vm.max-vcpus-mismatch').explanations;
  expect(mismatch?.check?.madeBy).toEqual([
    { requests: ['KVM_TDX_INIT_VM'], kernels: ['proposal-1a'], byEveryKernel: false },
  ]);
});

describe('answers', () => {
  test('have ids that are stable words, each once', () => {
    const ids = allAnswers().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      ids.filter((id) => !/^[a-z]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/.test(id)),
    ).toEqual([]);
  });

  test('written by hand have no name of a check, which answers for itself', () => {
    expect(handWrittenAnswers.filter(({ id }) => isCheckName(id))).toEqual([]);
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
