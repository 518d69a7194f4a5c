/** What users really posted, and the first answer they should have got. */
import { describe, expect, test } from 'vitest';
import { explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { diagnose, dmesg, ids } from './read-fixture.ts';

describe('a complaint that is a line has its real cause as first answer', () => {
  test.each<[thread: string, symptom: string, id: string]>([
    [
      'canonical/tdx#114',
      'qemu-system-x86_64: -accel kvm: get_tdx_capabilities: KVM_TDX_CAPABILITIES failed: Inappropriate ioctl for device',
      'capabilities.abi-mismatch',
    ],
    ['canonical/tdx#114', 'KVM_TDX_CAPABILITIES: Inappropriate ioctl', 'capabilities.abi-mismatch'],
    [
      'cloud-hypervisor#8540',
      'KVM_TDX_CAPABILITIES: Invalid argument',
      'capabilities.pre-upstream-vmm',
    ],
    [
      'canonical/tdx#385',
      'qemu-system-x86_64: vm-type TDX not supported by KVM',
      'vmm.vm-type-unsupported',
    ],
    ['canonical/tdx#102', 'kvm: vm-type tdx not supported by KVM', 'vmm.vm-type-unsupported'],
    [
      'intel/tdx-tools#223',
      "qemu-system-x86_64: -accel kvm: kvm-type 'tdx' not supported by KVM",
      'vmm.vm-type-unsupported',
    ],
    [
      'intel/tdx-tools#281',
      'qemu-system-x86_64: -accel kvm: vm-type X86_TDX_VM not supported by KVM',
      'vmm.vm-type-unsupported',
    ],
    [
      'canonical/tdx#46',
      "qemu-system-x86_64: -object tdx-guest,id=tdx: Parameter 'qom-type' does not accept value 'tdx-guest'",
      'vmm.qemu-without-tdx',
    ],
    ['canonical/tdx#135', 'qom-type does not accept tdx-guest', 'vmm.qemu-without-tdx'],
    [
      'canonical/tdx#46, libvirt',
      'error: unsupported configuration: INTEL TDX launch security is not supported with this QEMU binary',
      'vmm.libvirt-qemu-without-tdx',
    ],
    [
      'canonical/tdx#30',
      'qemu-system-x86_64: -object memory-backend-memfd-private,id=ram1,size=4G: invalid object type: memory-backend-memfd-private',
      'vmm.old-command-line',
    ],
    [
      'canonical/tdx#21',
      'qemu: KVM_TDX_INIT_MEM_REGION failed Resource temporarily unavailable',
      'init-mem-region.not-repeated',
    ],
    [
      'canonical/tdx#21',
      'INIT_MEM_REGION: Resource temporarily unavailable',
      'init-mem-region.not-repeated',
    ],
    ['canonical/tdx#22', 'exitting QMP loop, command cancelled: unknown', 'vmm.kata-qmp-loop'],
    [
      'canonical/tdx#319',
      'qemu-system-x86_64: KVM_TDX_INIT_MEM_REGION failed Input/output error',
      'init-mem-region.page-refused',
    ],
    ['canonical PR#340', 'INIT_VM: No space left on device', 'init-vm.no-key-slot'],
    [
      'canonical/tdx#135, #415',
      'module init failed (-28) "reserved areas exhausted"',
      'module-init.reserved-areas-exhausted',
    ],
    [
      'canonical/tdx#135',
      'virt/tdx: module initialization failed (-28)',
      'module-init.reserved-areas-exhausted',
    ],
    [
      'canonical/tdx#83, #331',
      'module init failed (-5), SEAMCALL 0x22 -> 0xc000050500000000',
      'seamcall.sys-rd.module-too-old',
    ],
    ['canonical/tdx#161', 'SEAMCALL 0x21 -> 0xc000090000000000', 'seamcall.sys-init.bios-too-old'],
    [
      'canonical/tdx#25',
      'tdx: SEAMCALL failed: CPU 94: leaf 33, error 0xc000092100000122.',
      'seamcall.sys-init.msr-refused',
    ],
    ['canonical/tdx#425', '"module not loaded", SEAMRR lock bit 0', 'module.not-loaded'],
    ['canonical/tdx#425', 'SEAMRR lock bit: 0', 'bios.seamrr-not-locked'],
    ['canonical/tdx#33, #102', 'tdx: not enabled by BIOS.', 'bios.tdx-not-enabled'],
    [
      'NVIDIA/NVFlare#5312',
      'virt/tdx: initialization failed: Hibernation support is enabled',
      'kernel.hibernation-enabled',
    ],
    ['c8s#387', 'tdx_att_get_quote failed: 0xe011', 'attestation.platform-not-registered'],
    [
      'canonical/tdx#77, kata#8532',
      'qemu-system-x86_64: warning: Number of SMP cpus requested (96) exceeds the recommended cpus supported by KVM (64)',
      'vmm.vcpus-above-recommended',
    ],
    [
      'canonical/tdx#153',
      'SEAMCALL (0x000000000000001c) failed: 0xc000030000000001',
      'seamcall.page-reclaim.race',
    ],
    [
      'linux tdx.c tdx_offline_cpu',
      'kvm_intel: TDX requires all packages to have an online CPU. Delete all TDs in order to offline all CPUs of a package.',
      'host.cpu-offline-refused',
    ],
    [
      'cloud-hypervisor main.rs',
      "error: Feature 'tdx' is broken.",
      'vmm.cloud-hypervisor-tdx-broken',
    ],
    [
      'linux tdx.c __tdx_bringup',
      'kvm_intel: Disable TDX: MAX_VCPU_PER_TD (576) smaller than number of logical CPUs (768).',
      'kvm.cpus-above-module-limit',
    ],
    [
      'linux tdx.c tdx_mmu_release_hkid',
      'kvm_intel: tdh_mng_key_freeid() failed. HKID 33 is leaked.',
      'kvm.key-slot-leaked',
    ],
    [
      'linux tdx.c __tdx_td_init',
      'kvm_intel: All packages need to have online CPU to create TD. Online CPU and retry.',
      'host.package-offline',
    ],
    [
      'shared device assignment',
      'qemu-system-x86_64: vfio_container_dma_map(0x5555, 0x1000, 0x1000, 0x7f00) = -28 (No space left on device)',
      'vfio.dma-entries-exhausted',
    ],
    [
      'canonical/tdx#100',
      'qemu-system-x86_64: Failed to get registers: Input/output error',
      'kvm.vm-dead',
    ],
  ])('%s: %s', (_thread, symptom, id) => {
    expect(ids(explainTyped(symptom))[0]).toBe(id);
  });
});

describe('a complaint that is a kernel log has its real cause as first answer', () => {
  test.each<[thread: string, fixture: string, id: string]>([
    ['canonical/tdx#161', 'bios-too-old', 'seamcall.sys-init.bios-too-old'],
    ['canonical/tdx#83, #331', 'module-too-old', 'seamcall.sys-rd.module-too-old'],
    ['canonical/tdx#415', 'reserved-areas', 'module-init.reserved-areas-exhausted'],
    ['canonical/tdx#382', 'nothing-after-bios-enabled', 'log.nothing-after-bios-enabled'],
    ['canonical/tdx#424', 'generic-kernel', 'log.no-word-of-tdx'],
    ['canonical/tdx#153', 'reclaim-race', 'seamcall.page-reclaim.race'],
    ['canonical/tdx#385', 'working', 'log.no-trouble'],
  ])('%s: %s', async (_thread, fixture, id) => {
    expect(ids(await diagnose(dmesg(fixture)))[0]).toBe(id);
  });

  test('an initialised module and a QEMU that gets no TD: the two do not fit', async () => {
    const log = [dmesg('working'), 'qemu-system-x86_64: vm-type TDX not supported by KVM\n'];
    expect(ids(await diagnose(...log))[0]).toBe('log.initialized-and-vm-type-unsupported');
  });
});

test('errors of other drivers are none of TDX', async () => {
  const { explanations, notKnown } = await diagnose(
    '[    3.1] vfio-pci 0000:3b:00.0: probe failed: -22 (Invalid argument)\n' +
      '[    3.2] nvidia: module initialization failed (-5)\n' +
      '[    3.3] kvm: SEV disabled (no such device)\n' +
      '[    3.4] kvm [4242]: ignored rdmsr: 0x122 data 0x0\n',
  );
  expect([...explanations, ...notKnown]).toEqual([]);
});

test('the three ENOSPC of TDX are three answers', () => {
  expect(ids(explainTyped('ENOSPC'))).toEqual([
    'init-vm.no-key-slot',
    'module-init.reserved-areas-exhausted',
    'vfio.dma-entries-exhausted',
  ]);
});

test('what follows from a failure comes after it, and progress comes last', async () => {
  expect(ids(await diagnose(dmesg('module-too-old')))).toEqual([
    'seamcall.sys-rd.module-too-old',
    'module-init.seamcall-failed',
    'kvm.module-init-failed',
    'host.bios-enabled',
    'host.sleep-disabled',
  ]);
});

test('a line says its own numbers', () => {
  const said = (line: string) => explainTyped(line).explanations[0]?.answer.meaning;
  expect(said('virt/tdx: BIOS enabled: private KeyID range [32, 64)')).toMatch(/at most 31 TDs/);
  expect(
    said('Disable TDX: MAX_VCPU_PER_TD (576) smaller than number of logical CPUs (768).'),
  ).toMatch(/768 CPUs.*at most 576/);
  expect(said('tdh_mng_key_freeid() failed. HKID 33 is leaked.')).toMatch(/HKID 33 is lost/);
});
