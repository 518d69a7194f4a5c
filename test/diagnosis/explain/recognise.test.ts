/** One thing, however it is written. */
import { describe, expect, test } from 'vitest';
import { errnoNumbers } from '../../../src/abi/kvm/errno.ts';
import { explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { readLine } from '../../../src/diagnosis/explain/log/layers.ts';
import { errnoIn, errnoTexts } from '../../../src/diagnosis/explain/read/errno-words.ts';
import { leafIn } from '../../../src/diagnosis/explain/read/status-words.ts';
import { diagnose, ids } from './read-fixture.ts';

describe('a status word is found', () => {
  test.each([
    '0xC000010000000044',
    '0xc000010000000044',
    'c000010000000044',
    'C000010000000044',
    '0xC000_0100_0000_0044',
    "'0xC000010000000044'",
    '"0xc000010000000044",',
    '0xC000010000000044ULL',
    'hw_error=0xc000010000000044',
    'SEAMCALL (0x0000000000000015) failed: 0xc000010000000044',
    'kvm_intel: SEAMCALL TDH_MNG_INIT failed: 0xc000010000000044, rcx 0x0',
    '[   12.345] tdx: SEAMCALL failed: CPU 3: leaf 21, error 0xc000010000000044.',
  ])('in %s', (text) => {
    expect(ids(explainTyped(text))).toEqual(['td-params.max-vcpus-refused']);
  });

  test('by its name, with or without TDX_', () => {
    expect(ids(explainTyped('TDX_OPERAND_BUSY'))).toEqual(['status.operand-busy']);
    expect(ids(explainTyped('operand_busy'))).toEqual(['status.operand-busy']);
  });

  test('every one of several', () => {
    expect(ids(explainTyped('0xC000060800000000 0x8000020000000000'))).toEqual([
      'status.op-state-incorrect',
      'status.operand-busy',
    ]);
  });

  test('but not in the registers that the kernel prints below it', () => {
    const { explanations, notKnown } = explainTyped(
      'virt/tdx: RCX 0x0000000000000000 RDX 0x9100000100000008 R08 0x0000000000000000',
    );
    expect([...explanations, ...notKnown]).toEqual([]);
  });

  test('but not in an address of a line that concerns no SEAMCALL', async () => {
    const { explanations, notKnown } = await diagnose(
      'kvm: failed at 0xffff888123456789, error 0xffff888123456789\nusb: 0xc000010000000044\n',
    );
    expect([...explanations, ...notKnown]).toEqual([]);
  });
});

describe('the leaf narrows a status', () => {
  test.each([
    ['SEAMCALL (0x0000000000000021) failed', 'TDH.SYS.INIT'],
    ['SEAMCALL TDH_SYS_INIT failed', 'TDH.SYS.INIT'],
    ['TDH.SYS.INIT', 'TDH.SYS.INIT'],
    ['CPU 94: leaf 33, error', 'TDH.SYS.INIT'],
    ['SEAMCALL (0x0000000000010016) failed', 'TDH.VP.INIT'],
    ['SEAMCALL (0x8000000000000001) failed', 'SEAMLDR.INSTALL'],
  ])('%s', (line, name) => {
    expect(leafIn(line)?.name).toBe(name);
  });

  test('to another answer than the status alone', () => {
    expect(ids(explainTyped('0xc000050500000000'))).toEqual(['status.sys-not-ready']);
    expect(ids(explainTyped('TDH.SYS.RD 0xc000050500000000'))).toEqual([
      'seamcall.sys-rd.module-too-old',
    ]);
  });

  test('and tells the words of P-SEAMLDR from those of the module', () => {
    const line = 'seamldr: SEAMCALL (0x8000000000000001) failed: 0x8000000000020000';
    expect(ids(explainTyped(line))).toEqual(['loader.ebadsig']);
  });
});

describe('an errno and its request are found', () => {
  test.each([
    'ENOSPC KVM_TDX_INIT_VM',
    'KVM_TDX_INIT_VM ENOSPC',
    'kvm_tdx_init_vm enospc',
    'KVM_TDX_INIT_VM -28',
    'KVM_TDX_INIT_VM: No space left on device',
    'ENOSPC from INIT_VM',
    'KVM_TDX_INIT_VM failed: 28',
    'TDX ioctl 1 return with -28, hw_errors: 0x0',
    'TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: 0x0: No space left on device',
  ])('in %s', (text) => {
    expect(ids(explainTyped(text))).toEqual(['init-vm.no-key-slot']);
  });

  test.each(Object.entries(errnoTexts))('%s by the words "%s"', (name, words) => {
    expect(errnoIn(`KVM_RUN: ${words}`)).toBe(name);
    expect(errnoIn(name)).toBe(name);
    expect(errnoIn(`KVM_RUN = -${errnoNumbers[name as keyof typeof errnoNumbers]}`)).toBe(name);
  });

  test('hw_errors 0 rules the module out, another one names the operand', () => {
    const line = (word: string) =>
      `qemu-system-x86_64: TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: ${word}: Invalid argument`;
    const operand = 'init-vm.module-refused-operand';
    const [byKernel] = explainTyped(line('0x0')).explanations;
    expect(byKernel?.answer.id).toBe('init-vm.parameter-refused');
    expect(byKernel?.refusal?.checks.map(({ name }) => name)).not.toContain(operand);
    expect(byKernel?.answer.causes?.join()).not.toMatch(/hw_error/);
    const [byModule] = explainTyped(line('0xc000010000000041')).explanations;
    expect(byModule?.answer.id).toBe('td-params.xfam-refused');
    expect(byModule?.refusal?.checks.map(({ name }) => name)).toEqual([operand]);
  });

  test('strace shows no command: every one that answers so', async () => {
    const line = 'ioctl(9, KVM_MEMORY_ENCRYPT_OP, 0x7ffd) = -1 ENOSPC (No space left on device)';
    expect(ids(explainTyped(line))).toEqual(['init-vm.no-key-slot']);
    expect(ids(await diagnose(`[pid 7] ${line}\n`))).toEqual(['init-vm.no-key-slot']);
  });

  test('an errno that the request never gives is not known, and no other is shown for it', () => {
    const { explanations, notKnown } = explainTyped('KVM_TDX_INIT_VM EDOM');
    expect(explanations).toEqual([]);
    expect(notKnown[0]?.refusal).toMatchObject({ request: 'KVM_TDX_INIT_VM', errno: 'EDOM' });
  });

  test('of opening /dev/kvm too', () => {
    expect(ids(explainTyped('open /dev/kvm: Permission denied'))).toEqual(['kvm.no-access']);
  });

  test('a request alone shows every errno of it, an errno alone every request', () => {
    expect(ids(explainTyped('KVM_TDX_FINALIZE_VM'))).toEqual([
      'finalize-vm.module-refused',
      'finalize-vm.busy',
      'finalize-vm.wrong-order',
    ]);
    expect(ids(explainTyped('ENOSPC')).length).toBeGreaterThan(2);
    // More of them help nobody: their names do.
    expect(ids(explainTyped('EINVAL'))).toEqual(['kvm.several-checks']);
  });
});

test('an operand alone is what the module refuses by it, a leaf alone what it returns', () => {
  expect(ids(explainTyped('MAX_VCPUS'))).toEqual(['td-params.max-vcpus-refused']);
  expect(ids(explainTyped('TDH.MNG.VPFLUSHDONE'))).toContain('status.flushvp-not-done');
  expect(ids(explainTyped('SEAMCALL 0x21'))).toContain('status.sys-init-not-pending');
});

test('an answer is found by its id', () => {
  expect(ids(explainTyped('init-vm.no-key-slot'))).toEqual(['init-vm.no-key-slot']);
});

describe('a line is shown without what the log put before it', () => {
  test.each([
    '[   12.345678] virt/tdx: module not loaded',
    '[12.345678] virt/tdx: module not loaded',
    '<3>[   12.345678] virt/tdx: module not loaded',
    '<6>virt/tdx: module not loaded',
    '[   12.345678][    T1] virt/tdx: module not loaded',
    '[Sat Nov 21 09:55:00 2026] virt/tdx: module not loaded',
    '2026-11-21T09:53:18,123456+00:00 virt/tdx: module not loaded',
    '2026-11-21T09:53:18+0000 host1 kernel: virt/tdx: module not loaded',
    'Nov 21 09:53:18 host1 kernel: virt/tdx: module not loaded',
    'Nov 21 09:53:18 host1 kernel: [   12.345678] virt/tdx: module not loaded',
    'kern  :err   : [   12.345678] virt/tdx: module not loaded',
    'virt/tdx: module not loaded\r',
  ])('%s', async (line) => {
    expect(readLine(line).texts).toEqual(['virt/tdx: module not loaded']);
    expect(ids(await diagnose(`${line}\n`))).toEqual(['module.not-loaded']);
  });
});
