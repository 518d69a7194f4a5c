import type { HostProfile } from '../../platform.ts';
import { gnr20 } from './gnr-2.0.ts';

export const mismatch: HostProfile = {
  ...gnr20,
  name: 'mismatch',
  description: 'gnr-2.0 with a 1.5 module: more CPUs than the module takes, so KVM does not load',
  source: 'Cores and threads: as gnr-2.0. That such a machine has this module: made up',
  module: { release: '1.5.28' },
};
