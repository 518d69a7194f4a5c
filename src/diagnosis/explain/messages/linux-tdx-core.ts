/** What the kernel of the host prints of the TDX module. */
import type { Answer } from '../answer.ts';
import { hostRequestFacts, moduleInitialization } from '../requests/host-requests.ts';
import { messages } from './message.ts';

const moduleInit = hostRequestFacts.find(({ request }) => request === moduleInitialization);
const noRoom = moduleInit?.answers.ENOSPC;
if (noRoom === undefined) throw new Error('module initialization has no answer for ENOSPC');

const moduleVersion: Answer = {
  id: 'host.module-version',
  rank: 'note',
  meaning: 'the kernel names the release of the TDX module',
  next: 'compare it with the newest release of github.com/intel/confidential-computing.tdx.tdx-module',
};

const moduleInitialized: Answer = {
  id: 'host.module-initialized',
  rank: 'healthy',
  meaning: 'the TDX module is initialised: the host side of TDX works',
  next: 'look at KVM and the VMM for what remains',
};

/**
 * 6.8 is the first release with the host's part: Documentation/arch/x86/tdx.rst of 6.8 has it, with what is printed,
 * and its commits are of December 2023. 7.1 has another word for the end of the initialisation (intel/lkvs#575).
 *
 * `tdx:` before 6.8, `virt/tdx:` since: a wording that begins with `tdx:` is both. `by 7.3`: Linux 7.3 prints
 * it, 6.19 does not, and the releases between were not looked at.
 */
export const linuxTdxCore = messages(
  {
    by: 'Linux',
    place: 'host',
    source: 'arch/x86/virt/vmx/tdx/tdx.c',
    releases: '6.8 and later',
  },
  [
    {
      says: [
        'reserved areas exhausted',
        'tdx: initialization failed: TDMR [{start:hex}, {end:hex}): reserved areas exhausted',
        'TDMRs exhausted',
      ],
      answer: noRoom,
    },
    {
      says: 'tdx: TDX not supported by the host platform',
      releases: 'by 7.3',
      answer: {
        id: 'host.tdx-not-supported',
        rank: 'note',
        meaning:
          'the CPU or the BIOS of this machine offers no TDX; kernels print it on every such machine, where ' +
          'it is harmless',
        causes: [
          'the CPU has no TDX, or the kernel runs in a VM',
          'TDX or its key split is off in the BIOS',
        ],
        next: 'nothing where no TDs are to run; on a host for TDs go through the TDX settings of the BIOS (docs/explain.md lists them)',
      },
      inGuest: {
        id: 'guest.no-tdx-host',
        rank: 'healthy',
        meaning: 'the kernel of a TD says that it cannot run TDs itself, which is so in every TD',
        next: 'nothing to do',
      },
    },
    {
      says: [
        'tdx: initialization failed: Hibernation support is enabled',
        'tdx: Hibernation support is enabled',
        'Hibernation support is enabled',
      ],
      answer: {
        // NVIDIA/NVFlare#5312, confidential-dot-ai/c8s#387: bites after an upgrade to a newer kernel.
        id: 'kernel.hibernation-enabled',
        meaning:
          'the kernel leaves TDX off because it could hibernate, which TDX memory would not survive',
        causes: [
          '`nohibernate` is missing from the kernel command line; newer kernels insist on it',
        ],
        next: 'add `nohibernate` to the kernel command line (GRUB_CMDLINE_LINUX), update-grub, reboot',
      },
    },
    {
      says: [
        'tdx: not enabled by BIOS',
        'TDX is not enabled by BIOS',
        'SEAMCALL failed: TDX disabled by BIOS',
        'Cannot enable TDX on TDX disabled platform',
      ],
      releases: 'before 6.8, by patches of vendors',
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
      says: [
        'tdx: module not loaded',
        'TDX module not loaded',
        'TDX module is not loaded',
        '"module not loaded", SEAMRR lock bit 0',
        'P-SEAMLDR is not loaded',
        'PSEAMLDR is not loaded',
      ],
      answer: {
        // canonical/tdx#425
        id: 'module.not-loaded',
        meaning:
          'the BIOS enabled TDX and loaded no TDX module: its loader, P-SEAMLDR, did not run',
        causes: [
          '"SEAM Loader" is off in the BIOS',
          'the BIOS image of this server has no P-SEAMLDR in it (the lock bit of SEAMRR stays 0)',
        ],
        next: 'switch on "SEAM Loader" in the BIOS; if it is on, ask the maker for a BIOS with P-SEAMLDR',
      },
    },
    {
      says: [
        'SEAMRR lock bit: 0',
        'SEAMRR lock bit 0',
        'SEAMRR not enabled',
        'SEAMRR not supported',
        'SEAMRR not locked',
        'SEAMRR is not enabled',
        'SEAMRR is not locked',
      ],
      answer: {
        id: 'bios.seamrr-not-locked',
        meaning:
          'the BIOS set no memory apart for the TDX module (SEAMRR), so its loader did not run',
        causes: ['the BIOS image has no P-SEAMLDR in it', '"SEAM Loader" is off in the BIOS'],
        next: 'switch on "SEAM Loader" in the BIOS; if it is on, ask the maker for a BIOS with P-SEAMLDR',
      },
    },
    {
      says: [
        'tdx: initialization failed: too few private KeyIDs available',
        'too few private KeyIDs available',
      ],
      answer: {
        id: 'bios.too-few-key-ids',
        meaning: 'the BIOS gives TDX one key id only, and the module keeps the first for itself',
        next: 'raise "TME-MT/TDX key split" in the BIOS',
      },
    },
    {
      says: ['x86/tme: not enabled by BIOS', 'x86/mktme: disabled by BIOS'],
      releases: '4.20 and later',
      source: 'arch/x86/kernel/cpu/intel.c',
      answer: {
        id: 'bios.tme-off',
        meaning: 'memory encryption (TME) is off in the BIOS, and TDX needs it',
        next: 'switch on TME and TME-MT in the BIOS',
      },
    },
    {
      says: 'frame pointer (RBP) clobber bug present, upgrade TDX module',
      answer: {
        id: 'module.rbp-clobber',
        meaning:
          'the TDX module is too old: it overwrites a register that the kernel needs (NO_RBP_MOD)',
        next: 'update the BIOS, which brings the module; 1.5.06 or later',
      },
    },
    {
      says: [
        'tdx: Module version: {version:word}',
        'tdx: TDX module version: {version:word}',
        // Public logs of vendor kernels have it misspelt.
        'tdx: TDX module verion: {version:word}',
      ],
      source: 'arch/x86/virt/vmx/tdx/tdx_global_metadata.c',
      releases: 'by 7.3, and vendor kernels',
      answer: moduleVersion,
      say: ({ version }) => ({ meaning: `the TDX module is of release ${version}` }),
    },
    {
      says: 'major_version {major:int}, minor_version {minor:int}',
      releases: 'before 6.8, by patches of vendors',
      answer: moduleVersion,
      say: ({ major, minor }) => ({ meaning: `the TDX module is of release ${major}.${minor}` }),
    },
    {
      says: 'major_version 1, minor_version 0,',
      releases: 'before 6.8, by patches of vendors',
      answer: {
        id: 'module.release-1-0',
        meaning: 'the TDX module is of the 1.0 line, which Linux does not support',
        next: 'update the BIOS, which brings the module; 1.5.06 or later',
      },
    },
    {
      says: 'TDX private memory error. Possible kernel bug.',
      source: 'arch/x86/kernel/cpu/mce/core.c',
      answer: {
        id: 'host.private-memory-error',
        meaning: 'a machine check hit memory of a TD: it was written without the key of the TD',
        causes: ['a defect of the kernel or a driver, on CPUs with the partial write erratum'],
        next: 'report it with the whole "mce:" record; the TD that owned the page is lost',
      },
    },
    {
      says: 'tdx: initialization failed: register_memory_notifier() failed ({errno:int})',
      answer: {
        id: 'kernel.memory-notifier',
        meaning: 'the kernel could not watch memory being added, and leaves TDX off',
        next: 'report it with the kernel version',
      },
    },
    {
      says: [
        'tdx: BIOS enabled: private KeyID range [{first:int}, {end:int})',
        'BIOS enabled: private KeyID range [{first:int}, {end:int})',
      ],
      answer: {
        id: 'host.bios-enabled',
        rank: 'note',
        meaning: 'the BIOS gives TDX a range of key ids; this says nothing yet about the module',
        next: 'look for "module initialized" after it',
      },
      say: ({ first, end }) => {
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
      says: ['tdx: module initialized', 'tdx: TDX module initialized'],
      releases: '6.8 to 7.0',
      answer: moduleInitialized,
    },
    {
      says: 'tdx: TDX-Module initialized',
      releases: '7.1 and later',
      answer: moduleInitialized,
    },
    {
      says: ['tdx: {kib:int} KB allocated for PAMT', 'tdx: {kib:int} KBs allocated for PAMT'],
      answer: {
        id: 'host.pamt-allocated',
        rank: 'healthy',
        meaning:
          'memory was set apart for page metadata (PAMT), about 1/256 of all; it stays taken',
        next: 'nothing to do',
      },
    },
    {
      says: 'tdx: Enable Dynamic PAMT',
      // Documentation/arch/x86/tdx.rst of the series "Dynamic PAMT"; 7.3 has it not.
      releases: 'after 7.3, by the series "Dynamic PAMT"',
      answer: {
        id: 'host.dynamic-pamt',
        rank: 'healthy',
        meaning: 'the kernel takes memory for page metadata (PAMT) only as TDs use pages',
        next: 'nothing to do',
      },
    },
    {
      says: 'tdx: consumed TDMRs reaching limit: {used:int} used out of {limit:int}',
      answer: {
        id: 'host.memory-regions-near-limit',
        rank: 'note',
        meaning:
          'nearly all memory regions that the TDX module takes (TDMRs) are used; TDX still works',
        causes: [
          'the memory of this host is of many pieces: many NUMA nodes, or holes between them',
        ],
        next: 'keep it in mind before more memory is built in: without a region left the kernel leaves TDX off',
      },
      say: ({ used, limit }) => ({
        meaning: `${used} of the ${limit} memory regions that the TDX module takes (TDMRs) are used; TDX still works`,
      }),
    },
    {
      says: 'TDMR [{start:hex}, {end:hex}): unable to find local NUMA node for PAMT allocation, fallback to use node 0',
      answer: {
        id: 'host.page-metadata-on-node-0',
        rank: 'note',
        meaning:
          'the kernel found no NUMA node for the page metadata (PAMT) of a memory region and took node 0: ' +
          'TDX works, and TDs on other nodes may be slower',
        causes: [
          'the BIOS describes memory of this host wrongly (ACPI SRAT), or a bug of the kernel',
        ],
        next: 'compare the nodes of `numactl --hardware` with the memory built in, and update the BIOS',
      },
    },
    {
      says: 'Turn off TDX in the BIOS to use ACPI S3',
      answer: {
        id: 'host.sleep-disabled',
        rank: 'healthy',
        meaning: 'the host cannot sleep (ACPI S3) while TDX is on',
        next: 'nothing to do on a server',
      },
    },
  ],
);
