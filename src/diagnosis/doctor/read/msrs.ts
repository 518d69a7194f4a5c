/**
 * The model-specific registers that say what the BIOS set up. They need root and the `msr` module,
 * or in a captured tree the file `msr.txt` with lines such as `0x87 0x0000004000000040`.
 * Source: Intel TDX Linux guide (rdmsr 0x982, 0x1401, 0x87); arch/x86/include/asm/msr-index.h; system-report.sh
 * of canonical/tdx for 0xa0, which the manual of the CPU does not have.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '../../../errors/errno.ts';
import type { MsrName } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { parsed, type Reading, read } from '../reading.ts';

export const msrNumbers: Readonly<Record<MsrName, number>> = {
  IA32_MKTME_KEYID_PARTITIONING: 0x87,
  IA32_TME_ACTIVATE: 0x982,
  IA32_SEAMRR_PHYS_MASK: 0x1401,
  IA32_MTRRCAP: 0xfe,
  SGX_AND_MCHECK_STATUS: 0xa0,
};

/** In a capture of before a register was read. */
export const msrNotAsked = (name: MsrName): Reading<string> => ({
  state: 'not-asked',
  from: `MSR 0x${msrNumbers[name].toString(16)}`,
});

export function readMsrs(files: HostFiles): Readonly<Record<MsrName, Reading<string>>> {
  const one = (name: MsrName) =>
    files.isLive ? readDevice(msrNumbers[name]) : readCopy(files, msrNumbers[name]);
  return {
    IA32_MKTME_KEYID_PARTITIONING: one('IA32_MKTME_KEYID_PARTITIONING'),
    IA32_TME_ACTIVATE: one('IA32_TME_ACTIVATE'),
    IA32_SEAMRR_PHYS_MASK: one('IA32_SEAMRR_PHYS_MASK'),
    IA32_MTRRCAP: one('IA32_MTRRCAP'),
    SGX_AND_MCHECK_STATUS: one('SGX_AND_MCHECK_STATUS'),
  };
}

function readDevice(number: number): Reading<string> {
  const from = `MSR 0x${number.toString(16)} (/dev/cpu/0/msr)`;
  let fd: number | undefined;
  try {
    fd = openSync('/dev/cpu/0/msr', 'r');
    const bytes = Buffer.alloc(8);
    readSync(fd, bytes, 0, 8, number);
    return read(from, `0x${bytes.readBigUInt64LE().toString(16)}`);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EACCES' || code === 'EPERM') return { state: 'denied', from };
    // EIO means that the CPU has no such register.
    return { state: code === 'EIO' ? 'unreadable' : 'absent', from };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readCopy(files: HostFiles, number: number): Reading<string> {
  const hex = number.toString(16);
  const text = files.text('/msr.txt');
  const line = new RegExp(`^\\s*0x0*${hex}\\s+(?:0x)?([0-9a-f]{1,16})\\s*$`, 'im');
  return parsed({ ...text, from: `MSR 0x${hex} (msr.txt)` }, (content) => {
    const digits = line.exec(content)?.[1];
    return digits === undefined ? undefined : `0x${BigInt(`0x${digits}`).toString(16)}`;
  });
}
