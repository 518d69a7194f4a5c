import type { HostProfile } from '../../platform.ts';
import { emr15 } from './emr-1.5.ts';
import { gnr20 } from './gnr-2.0.ts';
import { mismatch } from './mismatch.ts';
import { oneSlot } from './one-slot.ts';
import { smallClient } from './small-client.ts';
import { spr15 } from './spr-1.5.ts';

export const hostProfiles = {
  'spr-1.5': spr15,
  'emr-1.5': emr15,
  'gnr-2.0': gnr20,
  'one-slot': oneSlot,
  'small-client': smallClient,
  mismatch,
} as const satisfies Record<string, HostProfile>;

export type HostProfileName = keyof typeof hostProfiles;
export const defaultHostProfile: HostProfileName = 'spr-1.5';
