/** What the driver of NVIDIA and its attestation say of GPUs in a TD. */
import { messages } from './message.ts';

export const nvidia = messages(
  { by: 'NVIDIA', place: 'guest', source: 'NVIDIA/open-gpu-kernel-modules' },
  [
    {
      says: 'GPU confidential compute capability is not enabled',
      answer: {
        // NVIDIA/nvtrust#124, canonical/tdx#414
        id: 'gpu.confidential-mode-off',
        meaning:
          'the GPU is not in confidential mode, and its driver in the TD does not start without it',
        causes: [
          'the mode of the GPU was not set on the host, or a power cycle took it back',
          'the GPU was set to another mode (protected PCIe) than the driver expects',
        ],
        next: 'set it on the host by nvidia_gpu_tools.py (--set-cc-mode=on, or --set-ppcie-mode=on for all GPUs and switches), reset the GPU, and start the TD anew',
      },
    },
    {
      says: [
        'ConfCompute: Fatal error hit!',
        'Fatal error detected in GSP-DMA decrypt: {code:word}',
      ],
      answer: {
        // NVIDIA/nvtrust#54
        id: 'gpu.encrypted-session-lost',
        meaning:
          'the driver lost its encrypted session with the GPU, which is of no use until a reset',
        causes: [
          'the crypto modules that the driver needs are not loaded before it (ecdsa_generic, ecdh)',
          'driver and kernel of the guest do not fit',
        ],
        next: 'load them early: `install nvidia /sbin/modprobe ecdsa_generic; /sbin/modprobe ecdh; /sbin/modprobe --ignore-install nvidia` in /etc/modprobe.d; then restart the TD',
      },
    },
    {
      says: ['RmInitAdapter failed! ({code:word}', 'Cannot initialize GSP firmware RM'],
      // On a machine that is no TD it says nothing of TDX.
      inGuest: {
        id: 'gpu.not-initialized',
        rank: 'effect',
        meaning:
          'the driver of NVIDIA in the TD could not start the GPU; its lines before say at what it failed',
        next: 'look at the NVRM line before it; reset the GPU on the host, and check its mode by nvidia_gpu_tools.py --query-cc-mode',
      },
    },
    {
      says: 'The runtime measurements are not matching with the golden measurements at the following indexes',
      by: 'nvtrust',
      source: 'NVIDIA/nvtrust, guest_tools',
      answer: {
        // NVIDIA/nvtrust#60, #28
        id: 'gpu.measurements-differ',
        meaning: 'the GPU measures other firmware or settings than NVIDIA publishes for it',
        causes: [
          'the firmware of the GPU (VBIOS) and the driver are of releases that NVIDIA has not published together',
          'a defect of an older nvtrust or nvidia_gpu_tools',
        ],
        next: 'update VBIOS, driver, nvtrust and nvidia_gpu_tools, reset the GPU, and attest again',
      },
    },
  ],
);
