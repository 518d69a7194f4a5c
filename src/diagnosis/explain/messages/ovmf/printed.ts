/** OVMF runs in the TD, and prints to a log of the host: a debug console, or the serial port. */
import type { Printed } from '../message.ts';

export const byOvmf = (source: string): Printed => ({
  by: 'OVMF',
  source,
  releases: 'edk2-stable202211 to 202502, builds with debug output',
});
