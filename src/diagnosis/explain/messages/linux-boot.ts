/** What any kernel prints at its start, and what that shows of the log. */
import { messages } from './message.ts';

export const linuxBoot = messages({ by: 'Linux', source: 'init/, arch/x86/kernel/' }, [
  { says: 'Linux version {release:word} ', mark: 'boot' },
  { says: 'Hypervisor detected: {name:word}', mark: 'in-vm' },
  { says: 'Booting paravirtualized kernel on KVM', mark: 'in-vm' },
  {
    says: ['Run {path:word} as init process', 'systemd[1]: Detected architecture'],
    mark: 'user-space',
  },
  {
    says: [
      'tsc: Detected {mhz:int}.{khz:int} MHz',
      'tsc: Refined TSC clocksource calibration: {mhz:int}.{khz:int} MHz',
    ],
    name: 'tsc-frequency',
  },
  { says: 'BUG: unable to handle page fault for address: {address:hex}', name: 'early-page-fault' },
  { says: 'RIP: 0010:_find_next_bit+{offset:hex}', name: 'in-find-next-bit' },
]);
