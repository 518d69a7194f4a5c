/** What KVM_CHECK_EXTENSION announces is answered: no ioctl of it is an unknown one. */
import { expect, test } from 'vitest';
import { type CapabilityName, capabilities } from '../../../../src/abi/kvm/capabilities.ts';
import { type IoctlName, ioctlNumbers } from '../../../../src/abi/kvm/requests.ts';
import { decode } from '../../../../src/exec/codec/index.ts';
import { runPageBytes } from '../../../../src/exec/codec/run-page.ts';
import type { Handle } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { announcedIoctls, basicIoctls } from './announced-ioctls.ts';

const unknown = ['request.unknown', 'request.unknown-on-vm'];

/** What a file answers to an ioctl of a program whose memory is all zeros. */
function refusalOf(driver: Driver, kind: 'system' | 'vm' | 'vcpu', file: Handle, ioctl: IoctlName) {
  const decoded = decode({
    file: kind,
    number: ioctlNumbers[ioctl],
    arg: 0x1000n,
    memory: { read: (_address, length) => new Uint8Array(length), write: () => true },
    fd: () => undefined,
    runPage: new Uint8Array(runPageBytes),
    kernelAbi: driver.machine.kernelAbi,
  });
  if (decoded.kind === 'run') throw new Error(`${ioctl} is KVM_RUN`);
  if (decoded.request.request === 'unknown ioctl') return 'request.unknown';
  driver.call(file, decoded.request);
  return driver.refusedBy;
}

const kinds = ['system', 'vm', 'vcpu'] as const;

/** The file that takes the ioctl is not said: one of them must know it. */
function isAnswered(ioctl: IoctlName, type: 'KVM_X86_DEFAULT_VM' | 'KVM_X86_TDX_VM'): boolean {
  return kinds.some((kind) => {
    const driver = new Driver();
    const vm = type === 'KVM_X86_TDX_VM' ? driver.builtTd().vm : driver.plainVm('split');
    const files = {
      system: driver.kvm,
      vm,
      vcpu: driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 1 }),
    };
    return !unknown.includes(refusalOf(driver, kind, files[kind], ioctl) ?? '');
  });
}

const names = Object.keys(capabilities) as CapabilityName[];

test.each(['KVM_X86_DEFAULT_VM', 'KVM_X86_TDX_VM'] as const)(
  'every ioctl of a capability that a %s has is answered',
  (type) => {
    const driver = new Driver();
    const vm = driver.createVm(type);
    const shown = names.filter((name) => driver.check(vm, name) !== 0);
    expect(shown.length).toBeGreaterThan(100);
    const ioctls = new Set([...basicIoctls, ...shown.flatMap((name) => announcedIoctls[name])]);
    const unanswered = [...ioctls].filter((ioctl) => !isAnswered(ioctl, type));
    expect(unanswered).toEqual([]);
  },
);

test('every ioctl of a capability that /dev/kvm has is answered', () => {
  const driver = new Driver();
  const shown = names.filter((name) => driver.check(driver.kvm, name) !== 0);
  const ioctls = new Set(shown.flatMap((name) => announcedIoctls[name]));
  expect([...ioctls].filter((ioctl) => !isAnswered(ioctl, 'KVM_X86_DEFAULT_VM'))).toEqual([]);
});

test('every ioctl that is known is announced by something, or basic, or in no kernel', () => {
  const announced = new Set([...basicIoctls, ...Object.values(announcedIoctls).flat()]);
  const others = (Object.keys(ioctlNumbers) as IoctlName[]).filter((name) => !announced.has(name));
  expect(others).toEqual([
    'KVM_MEMORY_ENCRYPT_REG_REGION',
    'KVM_MEMORY_ENCRYPT_UNREG_REGION',
    'KVM_RUN',
    'KVM_LINK_GUEST_MEMFD',
  ]);
});
