/** What libvirt says when it defines or starts a TD. */
import { messages } from './message.ts';

export const libvirt = messages({ by: 'libvirt', place: 'host', source: 'src/conf, src/qemu' }, [
  {
    says: [
      'INTEL TDX launch security is not supported with this QEMU binary',
      "launchSecurity type 'tdx' is not supported",
    ],
    answer: {
      id: 'vmm.libvirt-qemu-without-tdx',
      meaning: 'libvirt finds no TDX in the QEMU it would start',
      causes: [
        'an upgrade replaced the QEMU with TDX by one without, or <emulator> names another one',
        'libvirt cached the capabilities of an older QEMU',
        'libvirt is older than 11.6, the first release with TDX',
      ],
      next: 'run `virsh domcapabilities` and look for tdx; install QEMU 10.1 and libvirt 11.6 or later',
    },
  },
  {
    says: "Security driver model '(null)' is not available",
    answer: {
      // canonical/tdx#233
      id: 'libvirt.security-driver-not-named',
      meaning:
        'libvirt could not start the domain again: a <seclabel> of it names no security driver. After `virsh reboot` the TD is then gone',
      causes: [
        'a TD is rebooted by a new start, for which this libvirt reads the <seclabel> once more',
      ],
      next: 'take <seclabel> out of the XML of the domain, or restart it by `virsh destroy` and `virsh start`',
    },
  },
  {
    says: 'process exited while connecting to monitor',
    answer: {
      id: 'vmm.libvirt-qemu-ended',
      rank: 'effect',
      meaning: 'QEMU ended before libvirt could speak to it: its own last line says why',
      next: 'read /var/log/libvirt/qemu/NAME.log',
    },
  },
  {
    says: "XML error: Invalid value for attribute 'type' in element 'launchSecurity': 'tdx'",
    releases: 'before 11.6',
    answer: {
      // canonical/tdx#135
      id: 'libvirt.too-old-for-tdx',
      meaning:
        'this libvirt is too old to know launchSecurity of the type tdx; QEMU was never started',
      causes: [
        'libvirt is older than 11.6, the first release with TDX, and has no patches of a vendor',
      ],
      next: 'check `virsh version`; install libvirt 11.6 or later, or the one of the vendor of the TDX stack',
    },
  },
  {
    says: 'Failed to define domain from {file:word}',
    answer: {
      id: 'libvirt.domain-not-defined',
      rank: 'effect',
      meaning:
        'libvirt did not take the XML of the VM, and started nothing; the error beside it says why',
      next: 'look at the other error of the same command',
    },
  },
]);
