/** The one table of messages. A new file of rows is named here, and nowhere else. */
import type { Answer } from '../answer.ts';
import { attestation, guestAttestation } from './attestation.ts';
import { cloudHypervisor } from './cloud-hypervisor.ts';
import { kata } from './kata.ts';
import { libvirt } from './libvirt.ts';
import { linuxBoot } from './linux-boot.ts';
import { linuxGuest } from './linux-guest.ts';
import { linuxKvm } from './linux-kvm.ts';
import { linuxTdxCore } from './linux-tdx-core.ts';
import type { Message } from './message.ts';
import { qemu } from './qemu.ts';
import { vfio } from './vfio.ts';

export const allMessages: readonly Message[] = [
  ...linuxBoot,
  ...linuxTdxCore,
  ...linuxKvm,
  ...linuxGuest,
  ...qemu,
  ...vfio,
  ...libvirt,
  ...kata,
  ...cloudHypervisor,
  ...attestation,
  ...guestAttestation,
];

export const messageAnswers: readonly Answer[] = allMessages.flatMap(({ answer, inGuest }) =>
  [answer, inGuest].filter((each) => each !== undefined),
);
