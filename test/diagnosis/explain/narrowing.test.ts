/** What tdctl run says when a step fails: the same words, in the numbers of the host. */
import { describe, expect, test } from 'vitest';
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import { errnoNumbers } from '../../../src/abi/kvm/errno.ts';
import {
  type KernelAbiName,
  kernelAbiNamed,
  kernelAbis,
} from '../../../src/abi/kvm/kernels/index.ts';
import { explainRefusal, wordsOf } from '../../../src/diagnosis/refusals.ts';
import type { HostFacts } from '../../../src/host/facts.ts';
import { KvmError } from '../../../src/host/kvm-error.ts';
import { openSimulatedHost } from '../../../src/host/simulated/index.ts';
import { toStepError } from '../../../src/orchestrator/step-error.ts';
import { hostFacts } from '../../support/host-facts.ts';

const host: HostFacts = {
  ...hostFacts,
  module: { release: '1.5.06', maxVcpusPerTd: 576 },
  platform: { ...hostFacts.platform, presentCpus: 128, onlineCpus: 128, tscKhz: 2_000_000 },
};

describe('a refusal', () => {
  test('of a vCPU says how many the host gives', () => {
    const { code, meaning } = explainRefusal({
      request: 'KVM_CREATE_VCPU',
      errno: 'EINVAL',
      facts: { host },
    });
    expect(code).toBe('TDCTL_E_VCPU_LIMIT');
    expect(meaning).toContain('at most 128');
    expect(meaning).toContain('KVM allows 1024');
  });

  test.each([
    ['the module', { module: { release: '1.5.06', maxVcpusPerTd: 64 } }, 'at most 64'],
    [
      'KVM',
      { kernel: { ...host.kernel, presentCpusBind: false }, module: undefined },
      'at most 1024',
    ],
  ])('of a vCPU names the limit that binds: %s', (_what, changes, words) => {
    const { meaning } = explainRefusal({
      request: 'KVM_CREATE_VCPU',
      errno: 'EINVAL',
      facts: { host: { ...host, ...changes } },
    });
    expect(meaning).toContain(words);
  });

  test.each([
    [{ total: 63, used: 63 }, /all 63 key slots/],
    [{ total: 63, used: 60 }, /only 60 of 63 in use.*leaked/],
  ])('for want of a key slot counts them: %o', (keySlots, words) => {
    const refusal = explainRefusal({
      request: 'KVM_TDX_INIT_VM',
      errno: 'ENOSPC',
      facts: { host, keySlots },
    });
    expect(refusal).toMatchObject({ id: 'init-vm.no-key-slot', code: 'TDCTL_E_NO_KEY_SLOT' });
    expect(refusal.meaning).toMatch(words);
  });

  test('by the module names the operand, and its limit', () => {
    const { code, meaning } = explainRefusal({
      request: 'KVM_TDX_INIT_VM',
      errno: 'EINVAL',
      hwStatus: 0xc000_0100_0000_0044n,
      facts: { host },
    });
    expect(code).toBe('TDCTL_E_VCPU_LIMIT');
    expect(meaning).toMatch(/1\.5\.06.*at most 576/);
  });

  test('with EIO of INIT_VM looks at offline CPUs first', () => {
    const meaningWith = (onlineCpus: number) =>
      explainRefusal({
        request: 'KVM_TDX_INIT_VM',
        errno: 'EIO',
        facts: { host: { ...host, platform: { ...host.platform, onlineCpus } } },
      }).meaning;
    expect(meaningWith(64)).toMatch(/64 of 128 CPUs are offline/);
    expect(meaningWith(128)).toMatch(/no CPU is offline/);
  });

  test('means the same without facts, but for the numbers', () => {
    const bare = explainRefusal({ request: 'KVM_TDX_INIT_VM', errno: 'ENOSPC' });
    const narrowed = explainRefusal({
      request: 'KVM_TDX_INIT_VM',
      errno: 'ENOSPC',
      facts: { host },
    });
    expect(narrowed).toEqual(bare);
  });
});

describe('a refusal by a kernel that is not upstream', () => {
  const move = 'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)';

  test.each(Object.values(kernelAbis))('of $name: a move is explained where TDs move', (abi) => {
    const { id, meaning } = explainRefusal({ request: move, errno: 'EINVAL', kernel: abi });
    if (abi.move === undefined) expect(id).toBe('move.unsupported');
    else expect(meaning).not.toContain('no such operation');
    expect(explainRefusal({ request: move, errno: 'EINTR', kernel: abi }).id).toBe(
      abi.move === undefined ? 'kvm.interrupted' : 'move.killed',
    );
  });

  interface Case {
    readonly request: string;
    readonly errno: string;
    readonly check?: string;
    readonly words: RegExp;
  }

  const maxVcpus = 'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)';
  const initVm = { request: 'KVM_TDX_INIT_VM', errno: 'EINVAL' };

  const cases: Readonly<Record<KernelAbiName, Case>> = {
    'upstream-7.3': { request: maxVcpus, errno: 'EINVAL', words: /does not offer the capability/ },
    'upstream-6.16': {
      request: 'KVM_TDX_FINALIZE_VM',
      errno: 'EINVAL',
      words: /finalised already, or a page was mapped .* that KVM_TDX_INIT_MEM_REGION never added$/,
    },
    'posted-inplace-conversion': {
      request: 'KVM_SET_MEMORY_ATTRIBUTES2',
      errno: 'EAGAIN',
      words: /^a page is to become private and is in use/,
    },
    'posted-dynamic-pamt': {
      request: 'KVM_TDX_INIT_MEM_REGION',
      errno: 'ENOMEM',
      check: 'init-mem-region.no-pamt',
      words: /^dynamic PAMT is on, and there is no memory/,
    },
    'posted-terminate-vm': {
      request: 'KVM_TDX_TERMINATE_VM',
      errno: 'EBUSY',
      words: /^a vCPU of the TD runs$/,
    },
    'rfc-migration-v2': { request: move, errno: 'EBUSY', words: /^the misc cgroup of the caller/ },
    'rfc-migration-v1': { request: move, errno: 'ENOTTY', words: /^the destination is no TD$/ },
    'breakout-v1': { request: maxVcpus, errno: 'E2BIG', words: /kernel or the TDX module takes$/ },
    'series-v19': { request: maxVcpus, errno: 'EBUSY', words: /^the VM has a vCPU$/ },
    'series-v9': {
      ...initVm,
      check: 'init-vm.max-vcpus-too-large',
      words: /^max_vcpus .* is above KVM_MAX_VCPUS$/,
    },
    'pre-v8': {
      request: 'KVM_CREATE_VM',
      errno: 'EBUSY',
      words: /^every key slot \(HKID\) of the host is taken, or the misc cgroup/,
    },
    'proposal-1': {
      request: maxVcpus,
      errno: 'EINVAL',
      words: /^the number is above KVM_MAX_VCPUS, or the VM has a vCPU$/,
    },
    'proposal-1a': {
      ...initVm,
      check: 'init-vm.max-vcpus-mismatch',
      words: /^max_vcpus .* is not what KVM_ENABLE_CAP\(KVM_CAP_MAX_VCPUS\) has set$/,
    },
    'proposal-1b': {
      request: 'KVM_CREATE_VCPU',
      errno: 'EIO',
      words: /^the TD is finalised already$/,
    },
    'proposal-2': {
      ...initVm,
      check: 'init-vm.max-vcpus-too-small',
      words: /^more vCPUs exist than max_vcpus/,
    },
  };

  test.each(Object.entries(cases))('of %s speaks of the checks of that kernel', (name, asked) => {
    const kernel = kernelAbiNamed(name);
    expect(explainRefusal({ ...asked, kernel }).meaning).toMatch(asked.words);
  });

  test('is worded by the check that the simulated kernel names', async () => {
    const simulated = openSimulatedHost({ kernelAbi: 'proposal-1' });
    const vm = await simulated.createVm({ type: 'KVM_X86_TDX_VM' });
    const refused = await vm
      .enableCap({ capability: 'KVM_CAP_MAX_VCPUS', args: [5000n] })
      .catch((error: unknown) => error);
    const words = wordsOf(toStepError('cappingVcpus', refused), await simulated.facts());
    expect(words).toMatchObject({
      code: 'TDCTL_E_VCPU_LIMIT',
      check: 'enable-cap.max-vcpus.above-kvm-max',
      message: `${maxVcpus} answered EINVAL: the number is above KVM_MAX_VCPUS`,
      hint: 'name at most as many vCPUs as KVM_CAP_MAX_VCPUS on /dev/kvm says',
    });
  });

  test('of a max_vcpus that does not match names it, and sends nobody to attributes and XFAM', () => {
    const asked = {
      request: 'KVM_TDX_INIT_VM',
      errno: 'EINVAL',
      kernel: kernelAbis['proposal-1a'],
      check: 'init-vm.max-vcpus-mismatch',
    };
    const bare = explainRefusal(asked);
    expect(bare.meaning).toMatch(/max_vcpus .* is not what KVM_ENABLE_CAP.* has set/);
    expect(bare.code).toBe('TDCTL_E_VCPU_LIMIT');
    const { meaning, hint } = explainRefusal({ ...asked, facts: { initVmMaxVcpus: 9 } });
    expect(meaning).toMatch(/max_vcpus of struct kvm_tdx_init_vm is 9/);
    expect(hint).toMatch(/what was given to KVM_CAP_MAX_VCPUS/);
    expect(hint).not.toMatch(/xfam/);
  });
});

describe('the error of a step', () => {
  test('holds a refusal as data, which survives JSON, and is worded when it is printed', () => {
    const error = KvmError.of('KVM_TDX_INIT_VM', 'EINVAL', 0xc000_0100_0000_0041n);
    const stored = toStepError('initializingTd', error);
    expect(stored).not.toHaveProperty('message');
    const revived: StepError = JSON.parse(JSON.stringify(stored));
    expect(revived).toEqual(stored);
    expect(wordsOf(revived, host)).toEqual({
      step: 'initializingTd',
      code: 'TDCTL_E_IOCTL',
      message:
        'KVM_TDX_INIT_VM answered EINVAL, TDX status 0xC000010000000041: ' +
        'the module refuses the XFAM of the TD',
      hint: 'leave spec.xfam out to take what the host offers',
      request: 'KVM_TDX_INIT_VM',
      errno: 'EINVAL',
      hwStatus: '0xC000010000000041',
    });
  });

  test('keeps what was known when it happened: the words count the key slots of that moment', () => {
    const error = KvmError.of('KVM_TDX_INIT_VM', 'ENOSPC');
    const facts = { keySlots: { total: 63, used: 63 } };
    const { message, ...printed } = wordsOf(toStepError('initializingTd', error, facts), host);
    expect(message).toContain('all 63 key slots');
    expect(printed).not.toHaveProperty('facts');
  });

  test('names the capability, and the check where a simulated kernel tells it', () => {
    const error = new KvmError({
      request: 'KVM_ENABLE_CAP',
      capability: 'KVM_CAP_MAX_VCPU_ID',
      errno: errnoNumbers.EINVAL,
      check: 'enable-cap.max-vcpu-id.too-large',
    });
    const printed = wordsOf(toStepError('cappingVcpus', error), host);
    expect(printed).toMatchObject({
      code: 'TDCTL_E_VCPU_LIMIT',
      request: 'KVM_ENABLE_CAP',
      capability: 'KVM_CAP_MAX_VCPU_ID',
      check: 'enable-cap.max-vcpu-id.too-large',
    });
    expect(printed.message).toMatch(/^KVM_ENABLE_CAP\(KVM_CAP_MAX_VCPU_ID\) answered EINVAL: /);
    expect(printed.message).toMatch(/: the number is above KVM_MAX_VCPU_IDS$/);
  });

  test('whose code is in no table is a defect of tdctl', () => {
    const error: StepError = { step: 'moving', code: 'TDCTL_E_OF_TOMORROW', message: 'no' };
    expect(wordsOf(error, host)).toMatchObject({ code: 'TDCTL_E_INTERNAL', message: 'no' });
  });
});
