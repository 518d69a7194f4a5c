/** What QEMU says of the firmware of a TD, whose metadata (TDVF) it reads. */
import type { Answer } from '../answer.ts';
import { messages } from './message.ts';

const noTdvf: Answer = {
  id: 'tdvf.not-a-td-firmware',
  meaning: 'the firmware has no TDX metadata: it is no firmware for TDs, or only a part of one',
  causes: [
    'an OVMF that was built without TDX',
    'OVMF_CODE.fd or OVMF_VARS.fd alone: TDs take one file, by -bios',
  ],
  next: 'check it with `tdctl measure FIRMWARE`; use -bios with the OVMF for TDX (/usr/share/ovmf/OVMF.tdx.fd, or OVMF.fd of 2024.02 or later)',
};

const broken: Answer = {
  id: 'tdvf.metadata-broken',
  meaning: 'the TDX metadata of the firmware contradicts itself: QEMU cannot load it',
  causes: ['the file is cut or was changed', 'a build of firmware with a wrong layout'],
  next: 'check it with `tdctl measure FIRMWARE`, and install the firmware again',
};

const unloadable: Answer = {
  id: 'vmm.firmware-section',
  meaning: 'the firmware has a section that this VMM cannot load, or is no TDVF',
  causes: ['a td-shim with a kernel section under QEMU', 'an OVMF that was built without TDX'],
  next: 'check it with `tdctl measure FIRMWARE`; use the OVMF that comes with the VMM',
};

export const tdvf = messages(
  { by: 'QEMU', place: 'host', source: 'hw/i386/tdvf.c', releases: '10.1 and later' },
  [
    {
      says: [
        'Cannot find TDX_METADATA_OFFSET_GUID',
        'Invalid TDVF signature in metadata!',
        'Invalid TDVF metadata GUID',
      ],
      answer: noTdvf,
    },
    {
      says: [
        'Broken metadata RawDataSize 0x{raw:hex} MemoryDataSize 0x{memory:hex}',
        'MemoryAddress 0x{address:hex} not page aligned',
        'MemoryDataSize 0x{size:hex} not page aligned',
        '{type:int} section with RawDataSize == 0',
        '{type:int} section with RawDataSize 0x{size:hex} != 0',
        'Invalid number of fw entries ({count:int}) in TDVF Metadata',
        'Invalid number of fw entries ({count:int}) in TDVF',
        'TDVF metadata len (0x{length:hex}) mismatch, expected (0x{expected:hex})',
        'Failed to read TDVF section entries',
      ],
      answer: broken,
    },
    {
      says: 'TDVF contains unsupported section type {type:int}',
      answer: unloadable,
    },
    {
      says: ['Unsupported TDVF section {type:int}', 'failed to parse TDVF'],
      source: 'target/i386/kvm/tdx.c',
      answer: unloadable,
    },
    {
      says: [
        "TDVF metadata doesn't specify TD_HOB location",
        'Failed to accept memory for TDVF section {section:int}',
        'Failed to mmap memory for TDVF section {section:int}',
      ],
      source: 'target/i386/kvm/tdx.c',
      answer: {
        id: 'vmm.firmware-layout',
        meaning: 'the memory map of the firmware does not fit that of the VM',
        next: 'check it with `tdctl measure FIRMWARE`; give the VM at least 256 MiB',
      },
    },
  ],
);
