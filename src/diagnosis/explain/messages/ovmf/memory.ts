/** What OVMF prints of the memory of a TD: accepting it, sharing it, the map that the VMM hands over. */
import type { Answer } from '../../answer.ts';
import { messages } from '../message.ts';
import { byOvmf } from './printed.ts';

const notAccepted: Answer = {
  id: 'ovmf.memory-not-accepted',
  meaning: 'OVMF could not accept memory of the TD, and stops',
  causes: [
    'the memory map in the TD HOB names memory that the VMM did not give the TD',
    'the host had no memory left for a private page: KVM or QEMU say so in their logs',
    'a page was converted to shared meanwhile',
  ],
  next: 'look at the log of the host at that moment: `journalctl -k | tdctl explain -`; use firmware and VMM of one release',
};

const badHob: Answer = {
  id: 'ovmf.td-hob-invalid',
  meaning: 'OVMF refuses the memory map (TD HOB) that the VMM handed it, and stops',
  causes: [
    'VMM and OVMF do not fit: one is older than the other expects',
    'the VMM wrote the TD HOB to another place than the metadata of the firmware says',
  ],
  next: 'use the OVMF that comes with the VMM; check it with `tdctl measure FIRMWARE`',
};

const noLowMemory: Answer = {
  id: 'ovmf.too-little-low-memory',
  meaning: 'OVMF finds too little memory below 4 GiB for itself',
  causes: ['the TD has very little memory, or a memory map with holes'],
  next: 'give the TD at least 512 MiB',
};

const notConverted: Answer = {
  id: 'ovmf.map-gpa-failed',
  meaning: 'the VMM did not convert memory between private and shared, which devices need',
  causes: [
    'the VMM does not handle MAPGPA: KVM_HC_MAP_GPA_RANGE is not enabled',
    'the host has no memory left for the shared copy',
    'the address is outside the memory of the TD',
  ],
  next: 'look at the log of QEMU and the kernel of the host at that moment; use QEMU 10.1 or later',
};

const pageTable: Answer = {
  id: 'ovmf.page-table',
  meaning: 'OVMF finds no page table entry for memory that it wants to share or make private',
  causes: ['a driver of the firmware passed a wrong address', 'a defect of this OVMF'],
  next: 'update OVMF; report it with the whole debug log',
};

const hob = (rest: string) => `HOB: ${rest}`;

export const ovmfMemory = [
  ...messages(byOvmf('MdePkg/Library/TdxLib/AcceptPages.c'), [
    {
      says: [
        'Accept page address(0x{address:hex}) is not valid. [63:52] and [11:0] must be 0',
        'Accept page size must be 4K/2M. Invalid page size - 0x{size:hex}',
        'AcceptPage cannot fallback from PageLevel {level:int}',
        'Address {address:hex} ({page:int}) failed to be accepted. Error = 0x{status:hex}',
        'Address {address:hex} ({page:int}) failed to be accepted because of OPERAND_BUSY. Retried {times:int} time',
      ],
      answer: notAccepted,
    },
    {
      says: 'Page at Address (0x{address:hex}) has already been accepted. - {count:int}',
      answer: {
        id: 'ovmf.page-accepted-twice',
        rank: 'note',
        meaning: 'a page was accepted that had been accepted before',
        next: 'nothing, unless there are very many: the memory map of the VMM then overlaps',
      },
    },
    {
      says: 'Address {address:hex} cannot be accepted in PageLevel of {level:int}',
      answer: {
        id: 'ovmf.accepts-small-pages',
        rank: 'note',
        meaning:
          'OVMF accepts this memory in small pages, because the host maps no large one there',
        next: 'nothing; huge pages for the shared side do not change it',
      },
    },
  ]),
  ...messages(byOvmf('OvmfPkg/IntelTdx/TdxHelperLib/SecTdxHelper.c'), [
    {
      says: [
        hob('HOB data pointer is NULL'),
        hob('Hob header Reserved filed should be zero'),
        hob('Hob header LEANGTH should not be zero'),
        hob('Hob length is not equal corresponding hob structure. Type: 0x{type:hex}'),
        hob('Unknow HandoffInformationTable BootMode type. Type: 0x{type:hex}'),
        hob('HandoffInformationTable EfiFreeMemoryTop address must be 4-KB aligned'),
        hob('Unknow ResourceDescriptor ResourceType type. Type: 0x{type:hex}'),
        hob('Unknow ResourceDescriptor ResourceAttribute type. Type: 0x{type:hex}'),
        hob('Cpu Reserved field will always be set to zero'),
        hob('Hob type is not know. Type: 0x{type:hex}'),
      ],
      answer: badHob,
    },
    {
      says: [
        'MpAccept : 0x{start:hex} - 0x{end:hex} (0x{length:hex})',
        'AcceptMemoryForAPsStack with APsStackSize=0x{size:hex}',
        'AcceptMemory under address of 4G',
      ],
      answer: {
        id: 'ovmf.accepting',
        rank: 'note',
        meaning:
          'OVMF accepts the memory of the TD; with all of it (eager accept) this takes seconds to minutes',
        next: 'nothing; if it takes too long, use an OVMF and a guest kernel with lazy accept',
      },
    },
    {
      says: [
        'ResourceAttribute: 0x{attribute:hex}',
        'PhysicalStart: 0x{start:hex}',
        'ResourceLength: 0x{length:hex}',
        'ResourceType: 0x{type:hex}',
      ],
      answer: {
        id: 'ovmf.memory-map',
        rank: 'note',
        meaning: 'a part of the memory map that the VMM gave the TD',
        next: 'nothing to do',
      },
    },
  ]),
  ...messages(byOvmf('OvmfPkg/Library/PeilessStartupLib/'), [
    {
      says: [
        'Cannot find a memory region under 4GB for Fw hoblist',
        'Failed to create idnetity mapping page tables',
      ],
      answer: noLowMemory,
    },
    {
      says: 'LowMemory Start and End: 0x{start:hex}, 0x{end:hex}',
      answer: {
        id: 'ovmf.memory-map',
        rank: 'note',
        meaning: 'a part of the memory map that the VMM gave the TD',
        next: 'nothing to do',
      },
    },
  ]),
  ...messages(byOvmf('OvmfPkg/Library/BaseMemEncryptTdxLib/MemoryEncryption.c'), [
    {
      says: [
        'TdVmcall(MAPGPA) failed with {status:hex}',
        'TdVmcall(MAPGPA) failed with MapGpaRetryAddr({retry:hex}) less than PhysicalAddress({start:hex}) or more than or equal to EndAddress({end:hex})',
      ],
      answer: notConverted,
    },
    {
      says: 'TdVmcall(MAPGPA) Retry PhysicalAddress is {address:hex}, MapGpaRetryAddr is {retry:hex}',
      answer: {
        id: 'ovmf.map-gpa-again',
        rank: 'note',
        meaning: 'the VMM converts memory piece by piece, and OVMF goes on where it stopped',
        next: 'nothing to do',
      },
    },
    {
      says: [
        'Failed to locate MemoryAcceptProtocol with {status}',
        'Failed to AcceptMemory with {status}',
      ],
      answer: notAccepted,
    },
    {
      says: [
        'bad PML4 for Physical=0x{address:hex}',
        'bad PDPE for Physical=0x{address:hex}',
        'bad PDE for Physical=0x{address:hex}',
        'bad PTE for Physical=0x{address:hex}',
      ],
      answer: pageTable,
    },
    {
      says: 'ERROR: Out of aligned pages',
      answer: {
        id: 'ovmf.out-of-pages',
        meaning: 'the firmware has no pages left for page tables',
        next: 'give the TD more memory: `tdctl plan` says what it needs',
      },
    },
    {
      says: [
        'updated 1GB entry for Physical=0x{address:hex}',
        'splitting 1GB page for Physical=0x{address:hex}',
        'splitting 2MB page for Physical=0x{address:hex}',
        'Buffer=0x{address:hex} Pages={pages:int}',
        'pte=0x{pte:hex} AddressEncMask=0x{mask:hex} Mode=0x{mode:hex} MapGPA Status=0x{status:hex}',
        'Cr3Base=0x{cr3:hex} Physical=0x{address:hex} Length=0x{length:hex} Mode={mode:word}',
      ],
      answer: {
        id: 'ovmf.converting',
        rank: 'note',
        meaning: 'OVMF converts memory between private and shared',
        next: 'nothing to do',
      },
    },
  ]),
  ...messages(byOvmf('OvmfPkg/IoMmuDxe/'), [
    {
      says: [
        'Operation={operation:word} Host=0x{host:hex} Bytes=0x{bytes:hex}',
        'Mapping=0x{mapping:hex} Device(PlainText)=0x{device:hex} Crypted=0x{host:hex}',
        'Mapping=0x{mapping:hex} MemoryMapLocked={locked:int}',
        'MemoryType={type:int} Pages=0x{pages:hex} Attributes=0x{attributes:hex}',
        'Host=0x{host:hex} Stash=0x{stash:hex}',
        'Mapping=0x{mapping:hex} Access={access:int}',
        'Feature of reserved memory for DMA is supported',
        'ReservedMem ({pages:int} pages) address = 0x{address:hex}',
        'range-size: {size:hex}, start-address=0x{start:hex}, pages=0x{pages:hex}, bits=0x{bits:hex}, bitmap:',
        'PlainTextAddress=0x{address:hex}, bits=0x{bits:hex}, bitmap:',
        'CommonBuffer=0x{address:hex}, bits=0x{bits:hex}, bitmap:',
      ],
      answer: {
        id: 'ovmf.shares-buffers',
        rank: 'healthy',
        meaning: 'a confidential VM shares buffers of its devices with the host, and says which',
        next: 'nothing to do',
      },
    },
  ]),
];
