/** How OVMF starts in a TD, and hands its CPUs to the kernel. */
import type { Answer } from '../../answer.ts';
import { messages } from '../message.ts';
import { byOvmf } from './printed.ts';

const noCpus: Answer = {
  id: 'ovmf.cpus-not-handed-over',
  meaning: 'OVMF could not tell the kernel how to start the other CPUs: the TD would run on one',
  causes: [
    'the VMM gave no ACPI tables, or no MADT among them',
    'the firmware has no memory left that is good for the mailbox',
  ],
  next: 'use the OVMF that comes with the VMM, without acpi=off and with more memory',
};

const started: Answer = {
  id: 'ovmf.started-in-td',
  rank: 'healthy',
  meaning: 'OVMF runs in a TD',
  next: 'nothing to do for the firmware; look at the log of the kernel after it',
};

const progress: Answer = {
  id: 'ovmf.progress',
  rank: 'note',
  meaning: 'OVMF says how far it got',
  next: 'nothing; if it is the last line of the log, OVMF stopped after it',
};

export const ovmfStart = [
  ...messages(byOvmf('OvmfPkg/IntelTdx/, OvmfPkg/Library/PeilessStartupLib/'), [
    {
      says: [
        'Intel Tdx Started with (GPAW: {bits:int}, Cpus: {cpus:int})',
        'Tdx started with(Hob: 0x{hob:hex}, Gpaw: 0x{bits:hex}, Cpus: {cpus:int})',
      ],
      answer: started,
      say: ({ cpus }) => ({ meaning: `OVMF runs in a TD with ${cpus} vCPUs` }),
    },
    {
      says: [
        'Ovmf started',
        'InitializePlatform in Pei-less boot',
        'HostBridgeDeviceId = 0x{id:hex}',
        'HostBridgeDevId=0x{id:hex}, CCAttr=0x{attributes:hex}, SetNxForStack={nx:hex}',
        'TdxSharedBitMask=0x{mask:hex}',
        'MaxCpuCount=0x{most:hex}, BootCpuCount=0x{boot:hex}',
        'MaxCpuCount={most:int}, BootCpuCount={boot:int}',
        'PhysMemAddressWidth=0x{bits:hex}, Pci64Base=0x{base:hex}, Pci64Size=0x{size:hex}',
        'Uc32Base = 0x{base:hex}, Uc32Size = 0x{size:hex}, LowerMemorySize = 0x{memory:hex}',
        'SecCoreStartupWithStack(0x{volume:hex}, 0x{stack:hex})',
        'SwitchStack then Jump to DxeCore',
        'BaseOfStack=0x{base:hex}, TopOfStack=0x{top:hex}',
        'Loading DXE CORE at 0x{address:hex} EntryPoint=0x{entry:hex}',
        'SecFv : {address:hex}, 0x{size:hex}',
        'DxeFv : {address:hex}, 0x{size:hex}',
        'Cannot get volume info! {status}',
      ],
      answer: progress,
    },
    {
      says: ['SEC: Skip TD-Guest', 'Skip TD-Guest'],
      source: 'OvmfPkg/Sec/SecMain.c',
      answer: progress,
    },
    {
      says: 'Failed call TDCALL_TDINFO. {status:hex}',
      source: 'MdePkg/Library/TdxLib/TdInfo.c',
      answer: {
        id: 'ovmf.tdcall-failed',
        meaning: 'the TDX module refused a call of the firmware that cannot fail in a sound TD',
        causes: ['the firmware runs in no TD', 'a defect of the module or of this OVMF'],
        next: 'check that the VM is a TD (vm-type tdx), and update OVMF',
      },
    },
    {
      says: [
        '{path:word}OvmfPkg/IntelTdx/{file:word}({line:int}): {condition}',
        '{path:word}OvmfPkg/TdxDxe/{file:word}({line:int}): {condition}',
        '{path:word}OvmfPkg/Library/PeilessStartupLib/{file:word}({line:int}): {condition}',
        '{path:word}OvmfPkg/Library/CcExitLib/CcExitVeHandler.c({line:int}): {condition}',
        '{path:word}OvmfPkg/Library/BaseMemEncryptTdxLib/{file:word}({line:int}): {condition}',
        '{path:word}MdePkg/Library/TdxLib/{file:word}({line:int}): {condition}',
      ],
      source: 'ASSERT of a debug build',
      answer: {
        id: 'ovmf.assert',
        rank: 'effect',
        meaning:
          'OVMF stopped where it handles TDX: a check of its own failed; lines before say at what',
        causes: ['firmware and VMM are of releases that do not fit'],
        next: 'look for the OVMF line before it; use the OVMF that comes with the VMM',
      },
    },
  ]),
  ...messages({ by: 'OVMF', source: 'ASSERT of a debug build', releases: 'any' }, [
    {
      says: [
        'ASSERT [{driver:word}] {path:word}.c({line:int}): {condition}',
        'ASSERT {path:word}.c({line:int}): {condition}',
      ],
      answer: {
        // edgelesssys/contrast#2338, tianocore/edk2#7145
        id: 'ovmf.assert-elsewhere',
        meaning:
          'a debug build of the firmware stopped: a check of its own failed, and the guest does not boot',
        causes: [
          'the firmware is built or configured in a way that this part of it does not expect',
        ],
        next: 'look at the line before it and at the file it names; a release build goes on in many such cases',
      },
    },
  ]),
  ...messages(byOvmf('OvmfPkg/TdxDxe/'), [
    {
      says: [
        'Failed to get the RelocationMap',
        'Failed to allocate pages for MailboxRelocation. {status}',
        'Unable to locate ACPI SDT protocol',
        'Failed to relocate Td mailbox',
        'Unable to locate ACPI Table protocol',
        'Failed to install new MADT table. {status}',
        'Uninstall old MADT table error',
        'OUT_OF_SOURCES error.',
      ],
      answer: noCpus,
    },
    {
      says: 'Install EdkiiMemoryAcceptProtocol failed',
      answer: {
        id: 'ovmf.no-lazy-accept',
        meaning: 'OVMF cannot offer the kernel to accept memory later (lazy accept)',
        causes: ['a defect of this OVMF'],
        next: 'update OVMF',
      },
    },
    {
      says: [
        'Ap Relocation: mailbox 0x{mailbox:hex}, loop 0x{loop:hex}',
        'resource type 0x{type:hex} {start:hex} {length:hex}',
      ],
      answer: progress,
    },
  ]),
  ...messages(byOvmf('OvmfPkg/Library/TdxMailboxLib/TdxMailbox.c'), [
    {
      says: [
        'Waiting for APs to arriving. NumOfCpus={cpus:int}, MailBox={mailbox:hex}',
        'Waiting for APs to finish',
        'Releasing APs',
        'Restarting APs',
      ],
      answer: {
        id: 'ovmf.waits-for-cpus',
        rank: 'note',
        meaning: 'OVMF waits for the other CPUs of the TD',
        next: 'nothing; if it is the last line of the log, a vCPU never ran: look at the log of the VMM',
      },
    },
  ]),
];
