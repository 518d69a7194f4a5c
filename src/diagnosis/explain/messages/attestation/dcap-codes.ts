/**
 * Codes of the DCAP quote libraries. 0xe0xx (`quote3_error_t`) and 0x110xx (`tee_att_error_t`) have the
 * same low byte for the same thing, as far as the second goes.
 */
import type { Answer } from '../../answer.ts';
import type { CodeTable } from '../codes.ts';
import { facts } from './facts.ts';
import { quotingFacts as quoting } from './quoting-facts.ts';
import { verifyingFacts as verifying } from './verifying-facts.ts';

const codes: readonly (readonly [low: number, name: string, answer: Answer])[] = [
  [0x01, 'ERROR_UNEXPECTED', facts.unexpected],
  [0x02, 'ERROR_INVALID_PARAMETER', facts.badParameter],
  [0x03, 'ERROR_OUT_OF_MEMORY', facts.outOfMemory],
  [0x04, 'ERROR_ECDSA_ID_MISMATCH', quoting.keyBlob],
  [0x05, 'PATHNAME_BUFFER_OVERFLOW_ERROR', quoting.keyBlob],
  [0x06, 'FILE_ACCESS_ERROR', quoting.keyBlob],
  [0x07, 'ERROR_STORED_KEY', quoting.keyBlob],
  [0x08, 'ERROR_PUB_KEY_ID_MISMATCH', quoting.keyBlob],
  [0x09, 'ERROR_INVALID_PCE_SIG_SCHEME', quoting.enclavesDoNotFit],
  [0x0a, 'ATT_KEY_BLOB_ERROR', quoting.keyBlob],
  [0x0b, 'UNSUPPORTED_ATT_KEY_ID', quoting.keyId],
  [0x0c, 'UNSUPPORTED_LOADING_POLICY', facts.badParameter],
  [0x0d, 'INTERFACE_UNAVAILABLE', quoting.enclaveNotLoaded],
  [0x0e, 'PLATFORM_LIB_UNAVAILABLE', quoting.noProviderLibrary],
  [0x0f, 'ATT_KEY_NOT_INITIALIZED', quoting.noKey],
  [0x10, 'ATT_KEY_CERT_DATA_INVALID', facts.badReply],
  [0x11, 'NO_PLATFORM_CERT_DATA', facts.notRegistered],
  [0x12, 'OUT_OF_EPC', quoting.outOfEpc],
  [0x13, 'ERROR_REPORT', quoting.badReport],
  [0x14, 'ENCLAVE_LOST', quoting.enclaveLost],
  [0x15, 'INVALID_REPORT', quoting.badReport],
  [0x16, 'ENCLAVE_LOAD_ERROR', quoting.enclaveNotLoaded],
  [0x17, 'UNABLE_TO_GENERATE_QE_REPORT', quoting.enclavesDoNotFit],
  [0x18, 'KEY_CERTIFCATION_ERROR', quoting.tcbTooHigh],
  [0x19, 'NETWORK_ERROR', facts.networkError],
  [0x1a, 'MESSAGE_ERROR', facts.badReply],
  [0x1b, 'NO_QUOTE_COLLATERAL_DATA', verifying.noCollateral],
  [0x1c, 'QUOTE_CERTIFICATION_DATA_UNSUPPORTED', verifying.certificationData],
  [0x1d, 'QUOTE_FORMAT_UNSUPPORTED', verifying.quoteFormat],
  [0x1e, 'UNABLE_TO_GENERATE_REPORT', verifying.verifierEnclave],
  [0x1f, 'QE_REPORT_INVALID_SIGNATURE', verifying.signature],
  [0x20, 'QE_REPORT_UNSUPPORTED_FORMAT', verifying.quoteFormat],
  [0x21, 'PCK_CERT_UNSUPPORTED_FORMAT', verifying.collateralFormat],
  [0x22, 'PCK_CERT_CHAIN_ERROR', verifying.chain],
  [0x23, 'TCBINFO_UNSUPPORTED_FORMAT', verifying.collateralFormat],
  [0x24, 'TCBINFO_MISMATCH', verifying.otherPlatform],
  [0x25, 'QEIDENTITY_UNSUPPORTED_FORMAT', verifying.collateralFormat],
  [0x26, 'QEIDENTITY_MISMATCH', verifying.otherEnclave],
  [0x27, 'TCB_OUT_OF_DATE', verifying.tcbOutOfDate],
  [0x28, 'TCB_OUT_OF_DATE_CONFIGURATION_NEEDED', verifying.tcbOutOfDate],
  [0x29, 'SGX_ENCLAVE_IDENTITY_OUT_OF_DATE', verifying.enclaveOutOfDate],
  [0x2a, 'SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE', verifying.enclaveOutOfDate],
  [0x2b, 'QE_IDENTITY_OUT_OF_DATE', verifying.enclaveOutOfDate],
  [0x2c, 'SGX_TCB_INFO_EXPIRED', verifying.expired],
  [0x2d, 'SGX_PCK_CERT_CHAIN_EXPIRED', verifying.expired],
  [0x2e, 'SGX_CRL_EXPIRED', verifying.expired],
  [0x2f, 'SGX_SIGNING_CERT_CHAIN_EXPIRED', verifying.expired],
  [0x30, 'SGX_ENCLAVE_IDENTITY_EXPIRED', verifying.expired],
  [0x31, 'PCK_REVOKED', verifying.revoked],
  [0x32, 'TCB_REVOKED', verifying.revoked],
  [0x33, 'TCB_CONFIGURATION_NEEDED', verifying.configurationNeeded],
  [0x34, 'UNABLE_TO_GET_COLLATERAL', verifying.noCollateral],
  [0x35, 'ERROR_INVALID_PRIVILEGE', quoting.noPrivilege],
  [0x37, 'NO_QVE_IDENTITY_DATA', verifying.noCollateral],
  [0x38, 'CRL_UNSUPPORTED_FORMAT', verifying.collateralFormat],
  [0x39, 'QEIDENTITY_CHAIN_ERROR', verifying.chain],
  [0x3a, 'TCBINFO_CHAIN_ERROR', verifying.chain],
  [0x3b, 'ERROR_QVL_QVE_MISMATCH', verifying.releasesDiffer],
  [0x3c, 'TCB_SW_HARDENING_NEEDED', verifying.hardeningNeeded],
  [0x3d, 'TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED', verifying.configurationNeeded],
  [0x3e, 'UNSUPPORTED_MODE', quoting.otherMode],
  [0x3f, 'NO_DEVICE', quoting.noSgxDevice],
  [0x40, 'SERVICE_UNAVAILABLE', quoting.serviceUnavailable],
  [0x41, 'NETWORK_FAILURE', facts.networkError],
  [0x42, 'SERVICE_TIMEOUT', quoting.aesmTimeout],
  [0x43, 'ERROR_BUSY', quoting.aesmBusy],
  [0x44, 'UNKNOWN_MESSAGE_RESPONSE', facts.pccsUnexpected],
  [0x45, 'PERSISTENT_STORAGE_ERROR', quoting.keyBlob],
  [0x46, 'ERROR_MESSAGE_PARSING_ERROR', facts.badReply],
  [0x47, 'PLATFORM_UNKNOWN', facts.platformUnknown],
  [0x48, 'UNKNOWN_API_VERSION', quoting.apiVersion],
  [0x49, 'CERTS_UNAVAILABLE', facts.certificatesUnavailable],
  [0x50, 'QVEIDENTITY_MISMATCH', verifying.otherEnclave],
  [0x51, 'QVE_OUT_OF_DATE', verifying.enclaveOutOfDate],
  [0x52, 'PSW_NOT_AVAILABLE', quoting.noSgxRuntime],
  [0x53, 'COLLATERAL_VERSION_NOT_SUPPORTED', verifying.collateralFormat],
  [0x60, 'TDX_MODULE_MISMATCH', verifying.moduleMismatch],
  [0x61, 'QEIDENTITY_NOT_FOUND', verifying.noCollateral],
  [0x62, 'TCBINFO_NOT_FOUND', verifying.tcbInfoMissing],
  [0x63, 'INTERNAL_SERVER_ERROR', facts.pccsUnexpected],
  [0x64, 'SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED', verifying.releasesDiffer],
  [0x65, 'ROOT_CA_UNTRUSTED', facts.certificateUntrusted],
  [0x66, 'TCB_NOT_SUPPORTED', verifying.tcbNotListed],
  [0x67, 'CONFIG_INVALID_JSON', facts.badConfig],
  [0x68, 'RESULT_INVALID_SIGNATURE', verifying.signature],
];

export const quoteCodes: CodeTable = {
  title: 'Codes of the DCAP quote libraries',
  base: 16,
  codes: codes.map(([low, name, answer]) => ({
    code: 0xe000 + low,
    names: [`SGX_QL_${name}`],
    answer,
  })),
};

/** tee_att_error_t ends at 0x60. */
export const teeAttCodes: CodeTable = {
  title: 'Codes of the TD quote library',
  base: 16,
  codes: [
    { code: 0, names: ['TEE_ATT_SUCCESS'], answer: quoting.ready },
    ...codes
      .filter(([low]) => low <= 0x60)
      .map(([low, name, answer]) => ({
        code: 0x11000 + low,
        names: [`TEE_ATT_${name}`],
        answer,
      })),
  ],
};
