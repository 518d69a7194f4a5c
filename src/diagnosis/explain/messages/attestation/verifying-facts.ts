/** What a verifier may find of a quote, or miss in order to judge it. */
import type { Answer } from '../../answer.ts';

export const verifyingFacts = {
  trusted: {
    id: 'verify.trusted',
    rank: 'healthy',
    meaning: 'the quote was verified, and the TCB of the platform is up to date',
    next: 'nothing to do',
  },
  notJudged: {
    id: 'verify.not-judged',
    rank: 'effect',
    meaning: 'the verification ended without a judgement (0xa006); the error before it says why',
    next: 'look at the error of the verification before it, and explain its code: `tdctl explain 0xe0…`',
  },
  relaunch: {
    id: 'verify.relaunch-advised',
    meaning:
      'the TCB of the platform is up to date now, and the TD was started under an older TDX module',
    causes: ['the TDX module was updated while the TD ran'],
    next: 'start the TD anew, and make a new quote',
  },
  noCollateral: {
    id: 'verify.no-collateral',
    meaning: 'the verifier has no collateral for this platform (TCB info, CRLs, enclave identity)',
    causes: [
      'PCCS of the verifier does not reach Intel, or its cache is filled offline and lacks it',
      'pccs_url of the verifier is wrong',
    ],
    next: 'look at `journalctl -u pccs`; refresh its cache, or check collateral_service in /etc/sgx_default_qcnl.conf of the verifier',
  },
  quoteFormat: {
    id: 'verify.quote-format',
    meaning: 'the verifier does not know this form of quote or of the data in it',
    causes: [
      'the verifier is older than the platform: TDX 1.5 makes quotes of version 5',
      'the bytes are cut, or are no quote',
    ],
    next: 'update the verification library (QVL), and check that the whole quote is passed on',
  },
  certificationData: {
    // intel/confidential-computing.tee.dcap#335
    id: 'verify.no-certificate-in-quote',
    meaning: 'the quote has no certificate of its platform that the verifier could follow',
    causes: [
      'the host made the quote without its quote provider library (QPL), and names the platform by its encrypted id only',
      'the verifier is older than the form of the quote',
    ],
    next: 'install libsgx-dcap-default-qpl on the host of the TD, restart qgsd, and make a new quote',
  },
  collateralFormat: {
    id: 'verify.collateral-format',
    meaning: 'the verifier cannot read a certificate or collateral of the platform',
    causes: [
      'PCCS gives collateral of API v3, which knows no TDX',
      'what PCCS has in its cache is damaged',
      'the verifier is too old',
    ],
    next: 'use API v4 in pccs_url, refresh the cache of PCCS, and update the verification library (QVL)',
  },
  chain: {
    // intel/confidential-computing.tee.dcap#221, #353
    id: 'verify.chain',
    meaning:
      'a certificate chain of the quote or of its collateral does not lead to the root of Intel',
    causes: [
      'a pre-production CPU, whose certificates have another root',
      'PCCS has stale or mixed data',
    ],
    next: 'ask the maker of the host whether its CPU is in production; refresh the cache of PCCS, and try again',
  },
  tcbInfoMissing: {
    // confidential-containers/trustee#919
    id: 'verify.no-tcb-info',
    meaning:
      'the collateral service has no TCB info for this kind of platform (FMSPC) that the verifier could use',
    causes: [
      'the verification library is older than the platform, and asks for another line of TCB info',
      'the collateral is at another service: that of the cloud provider, or the one for pre-production CPUs',
    ],
    next: 'update the verification library (QVL); put the service that has the platform into collateral_service of /etc/sgx_default_qcnl.conf',
  },
  signature: {
    id: 'verify.signature',
    meaning: 'a signature in the quote does not fit what it signs: the quote is not to be trusted',
    causes: ['the quote was changed or cut on its way'],
    next: 'make a new quote, and compare its bytes on both ends',
  },
  otherPlatform: {
    id: 'verify.tcb-info-of-other-platform',
    meaning: 'the TCB info is that of another kind of platform than the certificate in the quote',
    next: 'get the TCB info for the FMSPC in the certificate of the quote',
  },
  otherEnclave: {
    id: 'verify.enclave-not-of-intel',
    meaning: 'the quote was signed by another enclave than the one whose identity Intel publishes',
    causes: ['the SGX identity is used for a TD: it needs the TD quoting enclave'],
    next: 'use the identity of /tdx/certification/v4/qe/identity',
  },
  verifierEnclave: {
    id: 'verify.enclave-report',
    meaning: 'the verification enclave could make no report of its own',
    next: 'verify without it, or check SGX on the machine of the verifier: `ls /dev/sgx_*`',
  },
  tcbOutOfDate: {
    id: 'verify.tcb-out-of-date',
    meaning: 'the platform is genuine, and its TCB is out of date',
    causes: ['BIOS, microcode or TDX module of the host are older than Intel asks for'],
    next: 'update BIOS and microcode of the host, register it again, and make a new quote',
  },
  enclaveOutOfDate: {
    id: 'verify.enclave-out-of-date',
    meaning: 'the quoting or verification enclave is older than Intel asks for',
    next: 'update the DCAP packages on that machine, and restart qgsd',
  },
  expired: {
    id: 'verify.collateral-expired',
    meaning: 'collateral has expired: it is too old at the time that the verifier goes by',
    causes: ['PCCS did not refresh its cache', 'a clock is wrong'],
    next: 'refresh the cache of PCCS, and check `timedatectl`',
  },
  revoked: {
    id: 'verify.revoked',
    meaning: 'Intel has revoked the certificate or the TCB level of this platform',
    next: 'do not trust it; update BIOS and microcode, and register the platform again',
  },
  configurationNeeded: {
    id: 'verify.configuration-needed',
    meaning: 'the TCB is up to date, and a setting of the platform is weaker than Intel asks for',
    causes: ['a BIOS setting that an Intel advisory (INTEL-SA) names'],
    next: 'read the advisories that the verifier lists; change the BIOS, or accept it by policy',
  },
  hardeningNeeded: {
    id: 'verify.software-hardening-needed',
    rank: 'note',
    meaning: 'the TCB is up to date; an advisory asks for measures in the software of the TD too',
    next: 'read the advisories that the verifier lists, and accept it by policy',
  },
  releasesDiffer: {
    id: 'verify.releases-differ',
    meaning: 'verification library and verification enclave are of different releases',
    next: 'install both from one DCAP release',
  },
  moduleMismatch: {
    id: 'verify.module-not-of-intel',
    meaning: 'the TDX module in the quote is none whose identity Intel publishes for this platform',
    causes: ['a pre-production or debug module', 'TCB info that is older than the module'],
    next: 'refresh the collateral; check the TDX module of the host with `tdctl host`',
  },
  tcbNotListed: {
    id: 'verify.tcb-not-listed',
    meaning: 'the TCB info has no level for what the platform has',
    causes: ['a pre-production CPU or module', 'collateral older than the platform'],
    next: 'refresh the collateral; ask the maker of the host whether the platform is in production',
  },
} satisfies Record<string, Answer>;
