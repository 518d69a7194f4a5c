/** The tree of checks is in the order in which causes come before what they cause. */
import type { Check } from '../check.ts';
import { attestationChecks } from './attestation.ts';
import { biosChecks } from './bios.ts';
import { cpuChecks } from './cpu.ts';
import { environmentChecks } from './environment.ts';
import { kernelChecks } from './kernel.ts';
import { keySlotChecks } from './key-slots.ts';
import { kvmChecks } from './kvm.ts';
import { memoryChecks } from './memory.ts';
import { moduleChecks } from './module.ts';

export const checks: readonly Check[] = [
  ...environmentChecks,
  ...cpuChecks,
  ...biosChecks,
  ...kernelChecks,
  ...moduleChecks,
  ...kvmChecks,
  ...keySlotChecks,
  ...memoryChecks,
  ...attestationChecks,
];
