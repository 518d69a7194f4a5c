/** What can be wrong with the enclaves and the key that make a quote. */
import type { Answer } from '../../answer.ts';

export const quotingFacts = {
  ready: {
    id: 'qgs.ready',
    rank: 'healthy',
    meaning: 'QGS is ready for quotes (it returned 0)',
    next: 'nothing to do',
  },
  noKey: {
    id: 'attestation.key-not-certified',
    rank: 'effect',
    meaning: 'there is no certified attestation key yet, because certifying it failed before',
    causes: ['the certificate of the platform could not be had: the line before says why'],
    next: 'look for the first "[QCNL]" or "[QPL]" line before it: `journalctl -u qgsd`',
  },
  keyBlob: {
    id: 'attestation.key-not-stored',
    meaning: 'the stored attestation key cannot be read, written or used',
    causes: [
      'the directory of the key cannot be written by the user of qgsd, or its disk is full',
      'the key is of another CPU, or from before an update of microcode or of the quoting enclave',
    ],
    next: 'check the rights and the space of the home of the user of qgsd; move the stored tdqe_data.blob away, and restart qgsd, which makes a new key',
  },
  keyId: {
    id: 'attestation.key-id-unsupported',
    meaning: 'the kind of attestation key that was asked for is none that this platform has',
    causes: ['the caller passed a list of key ids: only ECDSA P-256 by the TD quoting enclave is'],
    next: 'ask without a list of key ids',
  },
  enclavesDoNotFit: {
    id: 'attestation.enclaves-do-not-fit',
    meaning: 'the quoting enclave and the provisioning enclave do not fit together',
    causes: ['the packages of the enclaves are of different releases'],
    next: 'install libsgx-ae-tdqe, libsgx-ae-pce and libsgx-ae-id-enclave of one release, and restart qgsd',
  },
  enclaveNotLoaded: {
    id: 'attestation.enclave-not-loaded',
    meaning: 'an enclave that makes quotes cannot be loaded',
    causes: [
      'the user of qgsd has no right to /dev/sgx_enclave and /dev/sgx_provision',
      'SGX is off in the BIOS, or the kernel has no SGX driver',
      'the package of the enclave is missing (libsgx-ae-tdqe, libsgx-ae-pce, libsgx-ae-id-enclave)',
    ],
    next: 'look at `ls -l /dev/sgx_*` and `id qgsd` (group sgx_prv); check that SGX is on in the BIOS',
  },
  noProviderLibrary: {
    // Oasis documentation: a malformed sgx_default_qcnl.conf shows so.
    id: 'attestation.no-provider-library',
    meaning:
      'the quote provider library (QPL) cannot be loaded, and it is what asks PCCS for certificates',
    causes: [
      'libsgx-dcap-default-qpl is not installed',
      '/etc/sgx_default_qcnl.conf is not valid, and the library gives up at its start',
    ],
    next: 'install libsgx-dcap-default-qpl, check that /etc/sgx_default_qcnl.conf is valid, and restart qgsd',
  },
  outOfEpc: {
    id: 'attestation.out-of-epc',
    meaning: 'SGX has no memory (EPC) left to load an enclave into',
    causes: ['the BIOS gives SGX little memory (PRMRR)', 'other enclaves use it up'],
    next: 'raise the PRMRR size of SGX in the BIOS, or end other enclaves',
  },
  badReport: {
    id: 'attestation.report-not-valid',
    meaning: 'the report of the TD does not pass the check of the quoting enclave',
    causes: [
      'the report was made on another machine, or before a reset of this one',
      'what was sent is no TDREPORT',
    ],
    next: 'make a new report in the TD, and ask QGS on the same host',
  },
  enclaveLost: {
    id: 'attestation.enclave-lost',
    meaning: 'the enclave was lost: the host slept or was migrated',
    next: 'restart qgsd: `systemctl restart qgsd`',
  },
  tcbTooHigh: {
    id: 'attestation.key-not-certifiable',
    meaning:
      'the attestation key cannot be certified: the certificate is for a newer TCB than the host has',
    causes: [
      'BIOS or microcode were set back after the platform was registered',
      'PCCS gave the certificate of another platform',
    ],
    next: 'update BIOS and microcode, register the platform again, and restart qgsd',
  },
  noPrivilege: {
    id: 'attestation.no-provision-privilege',
    meaning: 'the quote service may not use the provisioning key of the CPU',
    causes: ['the user of qgsd is not in the group of /dev/sgx_provision (sgx_prv)'],
    next: '`usermod -aG sgx_prv qgsd`, and restart qgsd',
  },
  otherMode: {
    id: 'attestation.mode-unsupported',
    meaning: 'the library is set to make quotes in another process, and the call is for its own',
    causes: ['SGX_AESM_ADDR is set in the environment of the caller'],
    next: 'unset SGX_AESM_ADDR',
  },
  noSgxDevice: {
    id: 'attestation.no-sgx-device',
    meaning: 'there is no SGX device: quotes of TDs are signed by an SGX enclave of the host',
    causes: ['SGX is off in the BIOS', 'the kernel has no CONFIG_X86_SGX'],
    next: 'switch on SGX in the BIOS, and look for `ls /dev/sgx_*`',
  },
  serviceUnavailable: {
    id: 'attestation.service-unavailable',
    meaning: 'a service that the quote library asks is not available',
    causes: [
      'PCCS answered that it cannot serve now (HTTP 503)',
      'the SGX service (aesmd) does not run',
    ],
    next: 'look at `journalctl -u pccs` and `systemctl status aesmd`, and try again',
  },
  aesmTimeout: {
    id: 'attestation.aesm-timed-out',
    meaning: 'the SGX service (aesmd) did not answer in time',
    next: 'look at `systemctl status aesmd`',
  },
  aesmBusy: {
    id: 'attestation.aesm-busy',
    meaning: 'the SGX service (aesmd) is busy',
    next: 'try again; look at `systemctl status aesmd` if it stays so',
  },
  apiVersion: {
    id: 'attestation.api-version',
    meaning: 'the API version that is configured for PCCS is none that the library knows',
    causes: ['pccs_api_version, or the version in pccs_url: TDX needs v4'],
    next: 'put /sgx/certification/v4/ into pccs_url of /etc/sgx_default_qcnl.conf',
  },
  noSgxRuntime: {
    id: 'attestation.no-sgx-runtime',
    meaning: 'the runtime of SGX enclaves cannot be loaded',
    causes: ['libsgx-urts is not installed'],
    next: 'install libsgx-urts',
  },
} satisfies Record<string, Answer>;
