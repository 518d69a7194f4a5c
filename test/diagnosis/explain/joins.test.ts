/** Lines of different programs are not read as one message that was cut. */
import { describe, expect, test } from 'vitest';
import { diagnose, ids } from './read-fixture.ts';

const said = async (lines: readonly string[]) => ids(await diagnose(`${lines.join('\n')}\n`));

describe('a request, and an errno that is none of its', () => {
  test.each([
    [['calling KVM_TDX_INIT_VM', 'Invalid argument']],
    [['KVM_TDX_INIT_VM', 'Invalid argument']],
    [['vcpu0: KVM_TDX_INIT_VCPU is done by now', 'open of the disk failed: No such file']],
    [['KVM_TDX_FINALIZE_VM is next', 'Device or resource busy']],
    [['KVM_TDX_INIT_MEM_REGION of page 7', 'Resource temporarily unavailable']],
    [['kvm: KVM_TDX_INIT_VM', 'disk.img: Permission denied', 'KVM_TDX_FINALIZE_VM']],
    [['KVM_CREATE_VM', 'ls: /nope: No such file or directory']],
    [['step 4 of 9: KVM_TDX_INIT_VM', 'step 5 of 9: EBUSY is retried']],
    [['  KVM_TDX_INIT_VM', '  ENOSPC']],
    [['> KVM_TDX_CAPABILITIES', '> Invalid argument']],
    [['TDX-module is looked for', 'Operation not supported']],
  ])('%j', async (lines) => {
    expect(await said(lines)).toEqual([]);
  });
});

describe('a refusal that was cut', () => {
  test.each([
    [['TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: 0x0:', 'No space left on device']],
    [['TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: 0x0: No', 'space left on device']],
    [
      [
        'qemu-system-x86_64: TDX',
        'ioctl KVM_TDX_INIT_VM',
        'failed, hw_errors: 0x0:',
        'No space left on device',
      ],
    ],
    [['kvm: KVM_TDX_INIT_VM returned', 'ENOSPC']],
    [['the hypervisor says: KVM_TDX_INIT_VM', 'failed: ENOSPC']],
    [['ioctl(12, KVM_TDX_INIT_VM, 0x7ffe) =', '-1 ENOSPC (No space left on device)']],
  ])('%j', async (lines) => {
    expect(await said(lines)).toEqual(['init-vm.no-key-slot']);
  });
});
