/** What verifiers of quotes print: the samples of DCAP, Trustee, go-tdx-guest. */

import { namesOf } from '../codes.ts';
import { messages } from '../message.ts';
import { quoteCodes } from './dcap-codes.ts';
import { verifyCodes } from './verify-codes.ts';
import { verifyingFacts as verifying } from './verifying-facts.ts';

const refused = {
  id: 'verify.refused',
  rank: 'effect',
  meaning: 'the verifier did not accept the quote; what stands behind it says why',
  next: 'look at the code or the words behind it',
} as const;

export const dcapVerifiers = messages(
  {
    by: 'verifiers by DCAP',
    source: 'intel/confidential-computing.tee.dcap, SampleCode; confidential-containers/trustee',
  },
  [
    {
      says: [
        'tee_verify_quote failed: 0x{code:hex}',
        'tee_verify_quote failed 0x{code:hex}',
        'tdx_qv_verify_quote failed: 0x{code:hex}',
        'sgx_qv_verify_quote failed: 0x{code:hex}',
        'tee_qv_get_collateral failed: 0x{code:hex}',
        'Quote Verification failed: 0x{code:hex}',
        'Get QvE Identity and Root CA CRL from PCCS failed: 0x{code:hex}',
        'tee_get_quote_supplemental_data_size failed: 0x{code:hex}',
        'tee_get_supplemental_data_version_and_size failed: 0x{code:hex}',
        'tdx_qv_get_quote_supplemental_data_size failed: 0x{code:hex}',
        'sgx_qv_get_quote_supplemental_data_size failed: 0x{code:hex}',
        'sgx_qv_set_enclave_load_policy failed: 0x{code:hex}',
      ],
      codes: [quoteCodes],
      answer: refused,
    },
    {
      says: [
        'Verification completed with Terminal result: {code:hex}',
        'Verification completed with Non-terminal result: {code:hex}',
      ],
      codes: [verifyCodes],
      answer: verifying.notJudged,
    },
    {
      says: [
        'Verify QvE report and identity failed. 0x{code:hex}',
        'failed to verify QvE report. 0x{code:hex}',
      ],
      answer: {
        id: 'verify.enclave-not-verified',
        rank: 'effect',
        meaning:
          'the report of the verification enclave (QvE) was not confirmed, which is so after a verification that failed',
        next: 'look at the error of the verification before it; where there is none, install QvE and QVL of one DCAP release',
      },
    },
    {
      says: [
        'Error in sgx_qe_get_target_info. 0x{code:hex}',
        'Error in sgx_qe_get_quote_size. 0x{code:hex}',
        'Error in sgx_qe_get_quote. 0x{code:hex}',
      ],
      codes: [quoteCodes],
      answer: refused,
    },
    {
      says: ['tee_verify_quote successfully returned', 'Quote DCAP check succeeded'],
      answer: {
        id: 'verify.call-returned',
        rank: 'healthy',
        meaning:
          'the verification ran to its end; its result, which judges the platform, is in another line',
        next: 'look for the result: "Verification completed", or the TCB status',
      },
    },
    { says: 'App: Verification completed successfully', answer: verifying.trusted },
    {
      says: 'Verification completed, but collateral is out of date',
      answer: verifying.expired,
    },
    {
      says: 'Quote supplemental data size is different between DCAP QVL and QvE',
      answer: verifying.releasesDiffer,
    },
    ...namesOf(verifyCodes),
  ],
);

export const verificationService = messages(
  { by: 'the verification library', source: 'intel/SGX-TDX-DCAP-QuoteVerificationLibrary' },
  [
    {
      says: [
        'No matching TCB Level found',
        'TCB Level has not been selected',
        'Failed to locate a valid FMSPC TCB Status',
      ],
      // automata-network/automata-dcap-attestation#69: a TDX module below the lowest level of the TCB info.
      answer: verifying.tcbNotListed,
    },
  ],
);

export const trustee = messages(
  { by: 'Trustee', source: 'confidential-containers/trustee, deps/verifier' },
  [
    {
      says: 'TDX Quote is empty',
      answer: {
        // validatedpatterns/coco-pattern#80
        id: 'verify.quote-empty',
        meaning: 'the evidence of the TD has an empty quote: its host made none',
        causes: [
          'QGS does not run on the host of the TD, or QEMU does not reach it',
          'QGS is older than DCAP 1.21',
        ],
        next: 'read `journalctl -u qgsd` and the log of QEMU on the host of the TD',
      },
    },
    {
      says: 'REPORT_DATA is different from that in TDX Quote',
      answer: {
        id: 'verify.report-data-differs',
        meaning:
          'the quote was not made for this request: its report data is of another nonce or key',
        causes: ['a quote of an earlier request was sent', 'the quote was made for another client'],
        next: 'make a new quote for the challenge of the verifier',
      },
    },
    {
      says: 'MRCONFIGID is different from that in TDX Quote',
      answer: {
        id: 'verify.config-id-differs',
        meaning: 'the TD was started with other init data than the verifier was given (MRCONFIGID)',
        next: 'compare the init data of the pod with mrconfigid of the TD; start the TD anew with the right ones',
      },
    },
    {
      says: 'No Eventlog included inside the TDX evidence',
      answer: {
        id: 'verify.no-event-log',
        rank: 'note',
        meaning: 'the evidence of the TD has no event log, so its measurements cannot be retraced',
        next: 'look for /sys/firmware/acpi/tables/data/CCEL in the guest; use an OVMF that measures',
      },
    },
  ],
);

export const goTdxGuest = messages(
  { by: 'go-tdx-guest', source: 'google/go-tdx-guest, verify/verify.go' },
  [
    { says: 'could not verify the TDX Quote: {reason}', answer: refused },
    {
      says: 'failed TCB status check: {reason}',
      answer: {
        // google/go-tdx-guest#37, #38
        id: 'verify.tcb-status-check',
        meaning: 'the TCB of the platform has no level that is up to date in the TCB info of Intel',
        causes: [
          'BIOS, microcode or TDX module of the host are older than Intel asks for',
          'go-tdx-guest is from before February 2024, and compares TDX modules of the 1.5 line wrongly',
        ],
        next: 'update go-tdx-guest; then update the BIOS of the host, and make a new quote',
      },
    },
    {
      says: 'unable to find latest status of TCB, it is now OutOfDate',
      answer: verifying.tcbOutOfDate,
    },
    {
      says: [
        'root CA CRL has expired',
        'PCK CRL has expired',
        'tcbInfo has expired',
        'QeIdentity has expired',
        'PCK CRL {which:word} certificate has expired',
        'tcbInfo {which:word} certificate has expired',
        'QeIdentity {which:word} certificate has expired',
        'in PCK certificate chain has expired',
      ],
      answer: verifying.expired,
    },
    {
      says: "root certificate's public key does not match with trusted public key",
      answer: verifying.chain,
    },
    {
      says: ['PCK certificate chain is empty', 'incomplete PCK Certificate chain found'],
      answer: verifying.certificationData,
    },
    {
      says: [
        "unable to verify message digest using quote's signature and ecdsa attestation key",
        'QE Report Data does not match with value of SHA 256',
      ],
      answer: verifying.signature,
    },
    {
      says: 'unable to check for certificate revocation as GetCollateral parameter in the options is set to false',
      answer: {
        id: 'verify.revocation-needs-collateral',
        meaning: 'the verifier was asked to check revocation, and not to get the lists for it',
        next: 'ask for both: -check_crl true -get_collateral true',
      },
    },
    {
      says: [
        'Collaterals verified successfully',
        'Header and TD Quote Body verified successfully',
        'TDX Quote verified successfully',
      ],
      answer: {
        id: 'verify.step-passed',
        rank: 'healthy',
        meaning: 'a step of the verification of a quote passed',
        next: 'nothing to do',
      },
    },
  ],
);
