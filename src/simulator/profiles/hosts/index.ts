import type { HostProfile } from '../../platform.ts';
import { gnr20 } from './gnr-2.0.ts';
import { oneSlot } from './one-slot.ts';
import { smallClient } from './small-client.ts';
import { spr15 } from './spr-1.5.ts';

export const hostProfiles = {
  'spr-1.5': spr15,
  'gnr-2.0': gnr20,
  'one-slot': oneSlot,
  'small-client': smallClient,
} as const satisfies Record<string, HostProfile>;

export type HostProfileName = keyof typeof hostProfiles;
export const defaultHostProfile: HostProfileName = 'spr-1.5';
