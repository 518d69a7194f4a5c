import { type BootImages, type BootState, prepareBoot } from '../guest/boot/index.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';
import type { MemoryLayout } from './memory-layout.ts';

/** What the VM starts in place of its firmware. */
export interface PlannedBoot extends BootState {
  /** Of kernel and initrd. */
  readonly sha256: string;
}

/** @throws TdctlError TDCTL_E_BOOT_INVALID for a kernel that cannot be started in this memory. */
export function bootOf(spec: TrustDomain, images: BootImages, layout: MemoryLayout): PlannedBoot {
  const { source, boot } = spec;
  if (boot === undefined) throw new Error('there is no kernel without spec.boot');
  const { kernel, initrd, sha256 } = images;
  const state = prepareBoot({
    kernel,
    initrd,
    cmdline: { value: boot.cmdline, place: source.locate('spec.boot.cmdline') },
    memory: { value: layout.slots, place: source.locate('spec.memory') },
    vcpus: { started: spec.vcpus, created: spec.maxVcpus },
  });
  return { ...state, sha256 };
}
