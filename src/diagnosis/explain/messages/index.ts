/** The one table of messages. A new file of rows is named here, and nowhere else. */
import type { Answer } from '../answer.ts';
import { pccs } from './attestation/pccs.ts';
import { qgs, quoteLibrary } from './attestation/qgs.ts';
import { qcnl, qpl } from './attestation/quote-provider.ts';
import { idRetrieval, registration } from './attestation/registration.ts';
import { tdxAttest } from './attestation/tdx-attest.ts';
import {
  dcapVerifiers,
  goTdxGuest,
  trustee,
  verificationService,
} from './attestation/verifiers.ts';
import { cloudHypervisor } from './cloud-hypervisor.ts';
import type { CodeTable } from './codes.ts';
import { kata } from './kata.ts';
import { libvirt } from './libvirt.ts';
import { linuxBoot } from './linux-boot.ts';
import { linuxGuest } from './linux-guest.ts';
import { linuxGuestMemory } from './linux-guest-memory.ts';
import { linuxGuestQuote } from './linux-guest-quote.ts';
import { linuxKvm } from './linux-kvm.ts';
import { linuxTdxCore } from './linux-tdx-core.ts';
import { linuxVmx } from './linux-vmx.ts';
import type { Message } from './message.ts';
import { nvidia } from './nvidia.ts';
import { ovmfExceptions } from './ovmf/exceptions.ts';
import { ovmfMeasurement } from './ovmf/measurement.ts';
import { ovmfMemory } from './ovmf/memory.ts';
import { ovmfStart } from './ovmf/start.ts';
import { qemu } from './qemu.ts';
import { qemuMachine } from './qemu-machine.ts';
import { qemuQuote } from './qemu-quote.ts';
import { tdvf } from './tdvf.ts';
import { vfio } from './vfio.ts';

export const allMessages: readonly Message[] = [
  ...linuxBoot,
  ...linuxTdxCore,
  ...linuxVmx,
  ...linuxKvm,
  ...linuxGuest,
  ...linuxGuestMemory,
  ...linuxGuestQuote,
  ...qemu,
  ...qemuMachine,
  ...qemuQuote,
  ...tdvf,
  ...ovmfStart,
  ...ovmfMemory,
  ...ovmfExceptions,
  ...ovmfMeasurement,
  ...vfio,
  ...nvidia,
  ...libvirt,
  ...kata,
  ...cloudHypervisor,
  ...qcnl,
  ...qpl,
  ...quoteLibrary,
  ...qgs,
  ...pccs,
  ...registration,
  ...idRetrieval,
  ...tdxAttest,
  ...dcapVerifiers,
  ...verificationService,
  ...trustee,
  ...goTdxGuest,
];

/** Each table of codes once, with the messages that print them. */
export const codeTables: readonly CodeTable[] = [
  ...new Set(allMessages.flatMap(({ codes }) => codes ?? [])),
];

const answersOfTables = (tables: readonly CodeTable[]) =>
  tables.flatMap(({ codes }) => codes.map(({ answer }) => answer));

export const messageAnswers: readonly Answer[] = allMessages.flatMap(({ answer, inGuest, codes }) =>
  [answer, inGuest, ...answersOfTables(codes ?? [])].filter((each) => each !== undefined),
);
