import type { Host, Vm } from '../../../src/host/port.ts';

/** KVM_TDX_INIT_VM with all that the host supports of each leaf, as VMMs ask for it. */
export async function initVm(vm: Vm, host: Host, attributes = 0n) {
  const { supportedXfam, configurableCpuid } = await vm.tdxCapabilities();
  const supported = await host.getSupportedCpuid();
  const cpuid = configurableCpuid.map((leaf) => {
    const own = supported.find(
      (each) => each.function === leaf.function && each.index === leaf.index,
    );
    const [eax, ebx, ecx, edx] = (['eax', 'ebx', 'ecx', 'edx'] as const).map(
      (name) => (leaf[name] & (own?.[name] ?? 0)) >>> 0,
    ) as [number, number, number, number];
    const isWidth = leaf.function === 0x8000_0008;
    return { ...leaf, ebx, ecx, edx, eax: isWidth ? 48 << 16 : eax, flags: own?.flags ?? 0 };
  });
  const identity = new Uint8Array(48).fill(7);
  await vm.tdxInitVm({
    ...{ attributes, xfam: supportedXfam, cpuid },
    ...{ mrConfigId: identity, mrOwner: identity, mrOwnerConfig: identity },
  });
}
