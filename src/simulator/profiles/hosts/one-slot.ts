import type { HostProfile } from '../../platform.ts';
import { spr15 } from './spr-1.5.ts';

export const oneSlot: HostProfile = {
  ...spr15,
  name: 'one-slot',
  description: 'spr-1.5 with a single key slot: a second TD never fits',
  source: 'made up',
  platform: { ...spr15.platform, keyIds: { mktme: 62, tdxPrivate: 2 } },
};
