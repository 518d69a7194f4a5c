/**
 * What the kernel's TDX core prints: `tdx:` before Linux 6.8, `virt/tdx:` since.
 * Source: Linux arch/x86/virt/vmx/tdx/tdx.c, arch/x86/kernel/cpu/intel.c.
 */
import { hostRequestFacts, moduleInitialization } from '../requests/host-requests.ts';
import type { LineRow } from './line-row.ts';

const moduleInit = hostRequestFacts.find(({ request }) => request === moduleInitialization);
const noRoom = moduleInit?.answers.ENOSPC;
if (noRoom === undefined) throw new Error('module initialization has no answer for ENOSPC');

export const tdxCoreLines: readonly LineRow[] = [
  { pattern: /reserved areas exhausted|TDMRs exhausted/i, answer: noRoom },
  {
    pattern: /Hibernation support is enabled/i,
    answer: {
      // NVIDIA/NVFlare#5312, confidential-dot-ai/c8s#387: bites after an upgrade to a newer kernel.
      id: 'kernel.hibernation-enabled',
      meaning:
        'the kernel leaves TDX off because it could hibernate, which TDX memory would not survive',
      causes: ['`nohibernate` is missing from the kernel command line; newer kernels insist on it'],
      next: 'add `nohibernate` to the kernel command line (GRUB_CMDLINE_LINUX), update-grub, reboot',
    },
  },
  {
    pattern: /\btdx: not enabled by BIOS|TDX is not enabled by BIOS/i,
    answer: {
      // canonical/tdx#33, #102, #260; canonical/td-partitioning#1
      id: 'bios.tdx-not-enabled',
      meaning:
        'the CPU refuses TDX: the BIOS has not enabled it in full, even if one menu says enabled',
      causes: [
        'one of several settings is missing: TME, TME-MT, memory integrity off, TDX, SEAM Loader, key split',
        'the settings need SGX, or a memory population, that this server does not have',
        'the settings were changed without a full power cycle',
      ],
      next: 'go through every TDX setting of the BIOS (docs/explain.md lists them), then power off and on',
    },
  },
  {
    pattern: /module not loaded|TDX module is not loaded|P-?SEAMLDR.{0,20}(not|never) loaded/i,
    answer: {
      // canonical/tdx#425
      id: 'module.not-loaded',
      meaning: 'the BIOS enabled TDX and loaded no TDX module: its loader, P-SEAMLDR, did not run',
      causes: [
        '"SEAM Loader" is off in the BIOS',
        'the BIOS image of this server has no P-SEAMLDR in it (the lock bit of SEAMRR stays 0)',
      ],
      next: 'switch on "SEAM Loader" in the BIOS; if it is on, ask the maker for a BIOS with P-SEAMLDR',
    },
  },
  {
    pattern: /SEAMRR.{0,40}(not (enabled|supported|locked)|lock bit.{0,12}\b0\b)/i,
    answer: {
      id: 'bios.seamrr-not-locked',
      meaning:
        'the BIOS set no memory apart for the TDX module (SEAMRR), so its loader did not run',
      causes: ['the BIOS image has no P-SEAMLDR in it', '"SEAM Loader" is off in the BIOS'],
      next: 'switch on "SEAM Loader" in the BIOS; if it is on, ask the maker for a BIOS with P-SEAMLDR',
    },
  },
  {
    pattern: /too few private KeyIDs available/i,
    answer: {
      id: 'bios.too-few-key-ids',
      meaning: 'the BIOS gives TDX one key id only, and the module keeps the first for itself',
      next: 'raise "TME-MT/TDX key split" in the BIOS',
    },
  },
  {
    pattern: /x86\/tme: not enabled by BIOS/i,
    answer: {
      id: 'bios.tme-off',
      meaning: 'memory encryption (TME) is off in the BIOS, and TDX needs it',
      next: 'switch on TME and TME-MT in the BIOS',
    },
  },
  {
    pattern: /RBP\) clobber bug present/i,
    answer: {
      id: 'module.rbp-clobber',
      meaning:
        'the TDX module is too old: it overwrites a register that the kernel needs (NO_RBP_MOD)',
      next: 'update the BIOS, which brings the module; 1.5.06 or later',
    },
  },
  {
    pattern: /major_version 1, minor_version 0\b/i,
    answer: {
      id: 'module.release-1-0',
      meaning: 'the TDX module is of the 1.0 line, which Linux does not support',
      next: 'update the BIOS, which brings the module; 1.5.06 or later',
    },
  },
  {
    pattern: /TDX private memory error/i,
    answer: {
      id: 'host.private-memory-error',
      meaning: 'a machine check hit memory of a TD: it was written without the key of the TD',
      causes: ['a defect of the kernel or a driver, on CPUs with the partial write erratum'],
      next: 'report it with the whole "mce:" record; the TD that owned the page is lost',
    },
  },
  {
    pattern: /register_memory_notifier\(\) failed/i,
    answer: {
      id: 'kernel.memory-notifier',
      meaning: 'the kernel could not watch memory being added, and leaves TDX off',
      next: 'report it with the kernel version',
    },
  },
  {
    pattern: /BIOS enabled: private KeyID range \[(\d+), ?(\d+)\)/i,
    answer: {
      id: 'host.bios-enabled',
      rank: 'note',
      meaning: 'the BIOS gives TDX a range of key ids; this says nothing yet about the module',
      next: 'look for "module initialized" after it',
    },
    say: ([, first, end]) => {
      const keys = Number(end) - Number(first);
      if (!(keys >= 1)) return {};
      return {
        meaning:
          `the BIOS gives TDX ${keys} key ids; the module keeps one, so at most ${keys - 1} TDs ` +
          'run at once. This says nothing yet about the module',
      };
    },
  },
  {
    pattern: /\btdx: (TDX-)?module initialized/i,
    answer: {
      id: 'host.module-initialized',
      rank: 'note',
      meaning: 'the TDX module is initialised: the host side of TDX works',
      next: 'look at KVM and the VMM for what remains',
    },
  },
  {
    pattern: /(\d+) KB allocated for PAMT/i,
    answer: {
      id: 'host.pamt-allocated',
      rank: 'note',
      meaning: 'memory was set apart for page metadata (PAMT), about 1/256 of all; it stays taken',
      next: 'nothing to do',
    },
  },
  {
    pattern: /Turn off TDX in the BIOS to use ACPI S3/i,
    answer: {
      id: 'host.sleep-disabled',
      rank: 'note',
      meaning: 'the host cannot sleep (ACPI S3) while TDX is on',
      next: 'nothing to do on a server',
    },
  },
];
