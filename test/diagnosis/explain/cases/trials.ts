/**
 * Public reports that nobody had tried here before, cut to what was printed; names and addresses are others. Each was
 * judged by the cause that its thread came to.
 */
import type { Case } from './case.ts';

export const trialCases: readonly Case[] = [
  {
    from: 'canonical/tdx#233',
    log: 'trials/libvirt-reboot.log',
    ids: ['libvirt.security-driver-not-named'],
  },
  {
    from: 'canonical/tdx#286',
    log: 'trials/initvm-einval.log',
    ids: ['init-vm.parameter-refused'],
  },
  {
    from: 'canonical/tdx#348',
    log: 'trials/unknown-exit.log',
    ids: ['vmm.exit-not-known'],
  },
  {
    from: 'intel/tdx-tools#227',
    log: 'trials/kvm-nodev.log',
    ids: ['vmm.no-kvm'],
  },
  {
    from: 'intel/tdx-tools#540',
    log: 'trials/triple-fault.log',
    ids: ['vmm.conversion-outside-memory'],
  },
  {
    from: 'intel/confidential-computing.tdx.tdx-module#24',
    log: 'trials/esx.log',
    ids: ['td-params.cpuid-refused'],
  },
  {
    from: 'kata-containers/kata-containers#11047',
    log: 'trials/kata-vsock.log',
    ids: ['kata.agent-not-reached'],
  },
  {
    from: 'confidential-containers/confidential-containers#59',
    log: 'trials/kata-vhost.log',
    ids: ['vmm.vhost-backend-gone'],
  },
  {
    from: 'siderolabs/extensions#449',
    log: 'trials/clh-foreign.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'confidential-containers/confidential-containers#310',
    log: 'trials/coco-pull.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'confidential-containers/confidential-containers#252',
    log: 'trials/coco-e019.log',
    ids: ['qpl.pccs-not-reached'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#221',
    log: 'trials/dcap-e022.log',
    ids: ['verify.chain', 'verify.enclave-not-verified', 'verify.not-judged'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#222',
    log: 'trials/dcap-e016.log',
    ids: ['attestation.enclave-not-loaded', 'verify.not-judged'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#335',
    log: 'trials/dcap-e01c.log',
    ids: ['verify.no-certificate-in-quote'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#52',
    log: 'trials/sgx-e01b.log',
    ids: ['verify.no-collateral', 'verify.enclave-not-verified', 'verify.not-judged'],
  },
  {
    from: 'intel/confidential-computing.tee.docs#3',
    log: 'trials/kbs-e022.log',
    ids: ['verify.chain'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#384',
    log: 'trials/e002.log',
    ids: ['attestation.bad-parameter'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#316',
    log: 'trials/e032.log',
    ids: ['verify.revoked', 'verify.not-judged'],
  },
  {
    from: 'confidential-containers/trustee#919',
    log: 'trials/azure-e062.log',
    ids: ['verify.no-tcb-info'],
  },
  {
    from: 'confidential-containers/trustee#705',
    log: 'trials/azure-e019.log',
    ids: ['qpl.pccs-not-reached'],
  },
  {
    from: 'validatedpatterns/coco-pattern#80, confidential-containers/guest-components#825',
    log: 'trials/empty-quote.log',
    ids: ['verify.quote-empty', 'guest.attest-no-quote'],
  },
  {
    from: 'automata-network/automata-dcap-attestation#69',
    log: 'trials/automata.log',
    ids: ['verify.tcb-not-listed'],
  },
  {
    from: 'intel/SGX-TDX-DCAP-QuoteVerificationService#35',
    log: 'trials/qvs.log',
    ids: ['verify.tcb-not-listed'],
  },
  {
    from: 'google/go-tdx-guest#37',
    log: 'trials/gotdx-tcb.log',
    ids: ['verify.tcb-status-check', 'verify.refused'],
  },
  {
    from: 'google/go-tdx-guest#26',
    log: 'trials/gotdx-ok.log',
    ids: ['verify.step-passed'],
    isHealthy: true,
  },
  {
    from: 'NVIDIA/nvtrust#54',
    log: 'trials/nv54.log',
    ids: ['gpu.encrypted-session-lost'],
  },
  {
    from: 'NVIDIA/nvtrust#124',
    log: 'trials/nv124.log',
    ids: ['gpu.confidential-mode-off'],
  },
  {
    from: 'NVIDIA/nvtrust#53',
    log: 'trials/nv53.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'IntelLabs/kafl.linux#19',
    log: 'trials/kafl.log',
    ids: ['kernel.emulated-seam-unsupported'],
  },
  {
    from: 'microsoft/openvmm#1434',
    log: 'trials/openvmm.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'cloud-hypervisor/cloud-hypervisor#5734',
    log: 'trials/clh-payload.log',
    ids: ['vmm.cloud-hypervisor-payload'],
  },
  {
    from: 'canonical/tdx#106',
    log: 'trials/virtio.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'canonical/tdx#361',
    log: 'trials/qgsd-ok.log',
    ids: ['qgs.at-work', 'qgs.quote-made'],
    isHealthy: true,
  },
  {
    from: 'canonical/tdx#270',
    log: 'trials/qgsd-e011.log',
    ids: [
      'attestation.platform-not-registered',
      'attestation.key-not-certified',
      'attestation.unexpected',
    ],
  },
  {
    from: 'canonical/tdx#362',
    log: 'trials/qgsd-start.log',
    ids: ['qgs.started'],
    isHealthy: true,
  },
  {
    from: 'nearai/private-ml-sdk#8',
    log: 'trials/no-9p.log',
    ids: ['vmm.device-not-built-in'],
  },
  {
    from: 'flashbots/yocto-manifests#25',
    log: 'trials/cryptomgr.log',
    ids: ['guest.in-td'],
    isHealthy: true,
  },
  {
    from: 'Dstack-TEE/dstack#819',
    log: 'trials/aesm.log',
    ids: ['attestation.platform-not-registered'],
  },
  {
    from: 'tianocore/edk2#7145',
    log: 'trials/edk2-plain.log',
    ids: ['ovmf.assert-elsewhere'],
  },
  {
    from: 'intel/KVMGT-kernel#28',
    log: 'trials/kvmgt.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'canonical/tdx#148',
    log: 'trials/hostfwd.log',
    ids: ['vmm.port-taken'],
  },
  {
    from: 'edgelesssys/contrast#2338',
    log: 'trials/ovmf-assert.log',
    ids: ['ovmf.assert-elsewhere'],
  },
  {
    from: 'NVIDIA/nvtrust#60',
    log: 'trials/nv60.log',
    ids: ['gpu.measurements-differ'],
  },
  {
    from: 'intel/tdx-linux#5',
    log: 'trials/rocky-host.log',
    ids: [
      'log.no-trouble',
      'host.bios-enabled',
      'host.module-version',
      'host.sleep-disabled',
      'host.pamt-allocated',
      'host.module-initialized',
    ],
    isHealthy: true,
  },
  {
    from: 'intel/tdx-linux#1',
    log: 'trials/qemu-warn.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'intel/confidential-computing.tee.dcap#353',
    log: 'trials/dcap353.log',
    ids: ['verify.chain'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#114',
    log: 'trials/dcap114.log',
    ids: ['verify.collateral-format', 'attestation.no-provider-library'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#415',
    log: 'trials/pccs-node.log',
    ids: ['pccs.node-too-old'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#263',
    log: 'trials/pccs-migration.log',
    ids: ['pccs.migrates'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#333',
    log: 'trials/pccs-path.log',
    ids: ['pccs.setting-missing'],
  },
  {
    from: 'intel/confidential-computing.tee.dcap#345',
    log: 'trials/dcap345.log',
    ids: ['qcnl.pccs-refuses-connection', 'qpl.pccs-not-reached'],
  },
  {
    from: 'google/go-configfs-tsm#11, a guest of AMD',
    log: 'trials/gotsm-amd.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'confidential-containers/guest-components#1043',
    log: 'trials/gc1043.log',
    ids: ['guest.attester-without-ioctl'],
  },
  {
    from: 'canonical/tdx#187, the host',
    log: 'trials/ct187-healthy.log',
    ids: ['qgs.started', 'pccs.started'],
    isHealthy: true,
  },
  {
    from: 'canonical/tdx#187, the guest',
    log: 'trials/ct187-guest.log',
    ids: ['guest.quote-not-made'],
  },
  {
    from: 'NVIDIA/open-gpu-kernel-modules#729',
    log: 'trials/nv729.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'Proxmox, an ordinary VM on an old CPU',
    log: 'trials/pve-foreign.log',
    ids: ['vmm.vcpu-not-entered'],
    isHealthy: true,
  },
  {
    from: 'secretflow/trustflow-capsule-manager#45',
    log: 'trials/pccs-debug.log',
    ids: ['pccs.started'],
    isHealthy: true,
  },
  {
    from: 'intel/lkvs#575',
    log: 'trials/lkvs-71.log',
    ids: ['log.no-trouble', 'host.bios-enabled', 'host.pamt-allocated', 'host.module-initialized'],
    isHealthy: true,
  },
  {
    from: 'canonical/tdx#135, in a mail',
    log: 'trials/mail-healthy.log',
    ids: [
      'log.no-trouble',
      'host.module-version',
      'host.pamt-allocated',
      'host.module-initialized',
    ],
    isHealthy: true,
  },
  {
    from: 'kata-containers/kata-containers#11047, a warning of every TD',
    log: 'trials/kata-nvdimm.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'NVIDIA/nvtrust#46, the host',
    log: 'trials/vfio-hiding.log',
    ids: [],
    isHealthy: true,
  },
  {
    from: 'intel/confidential-computing.tee.docs#3, PCCS',
    log: 'trials/pccs-refresh.log',
    ids: ['pccs.refreshed', 'pccs.request-served'],
    isHealthy: true,
  },
  {
    from: 'NVIDIA/nvtrust#46, the guest',
    log: 'trials/guest-filter.log',
    ids: ['guest.in-td'],
    isHealthy: true,
  },
];
