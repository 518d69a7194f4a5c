/** What Kata Containers and Kubernetes around it say. */
import { messages } from './message.ts';

export const kata = messages(
  { by: 'Kata', place: 'host', source: 'kata-containers, src/runtime' },
  [
    {
      says: ['exiting QMP loop', 'exitting QMP loop'],
      answer: {
        // canonical/tdx#22: the cause was #21.
        id: 'vmm.kata-qmp-loop',
        rank: 'effect',
        meaning:
          'Kata gave up because QEMU ended or printed an error: the cause is in the log of QEMU',
        causes: ['KVM_TDX_INIT_MEM_REGION answered EAGAIN and QEMU did not repeat it'],
        next: 'look for the QEMU line before it; use QEMU 10.1 or later',
      },
    },
    {
      says: 'timed out connecting to vsock {address:word}',
      answer: {
        // kata-containers/kata-containers#11047, #13535
        id: 'kata.agent-not-reached',
        rank: 'effect',
        meaning:
          'Kata did not reach its agent in the VM in time: the VM did not boot, or not fast enough',
        causes: [
          'the guest died or hangs: its console says why',
          'a large TD takes longer to accept its memory than Kata waits (dial_timeout, reconnect_timeout_ms)',
          'QEMU or the firmware in the configuration of Kata has no TDX',
        ],
        next: 'set enable_debug = true in configuration-qemu-tdx.toml, and read the console of the guest in `journalctl -t kata`; try with little memory',
      },
    },
    {
      says: 'PLACEHOLDER_FOR_DISTRO_QEMU_WITH_TDX_SUPPORT',
      source: 'kata-containers, tools/packaging/kata-deploy',
      answer: {
        // confidential-containers/operator#496
        id: 'kata.qemu-path-not-filled-in',
        meaning:
          'Kata was installed without the path of the QEMU of the distribution: its configuration still has the placeholder',
        causes: ['kata-deploy (or the operator) of this release does not know this distribution'],
        next: 'install a release of kata-deploy that fills it in, or put the path of QEMU with TDX into configuration-qemu-tdx.toml',
      },
    },
    {
      says: 'Failed to create pod sandbox',
      by: 'kubelet',
      source: 'kubernetes, pkg/kubelet',
      answer: {
        id: 'kata.no-sandbox',
        rank: 'effect',
        meaning:
          'the pod was not started, because the runtime made no VM for it; what stands behind it says why',
        next: 'look at the end of the line, and at the log of the runtime: `journalctl -t kata`',
      },
    },
  ],
);
