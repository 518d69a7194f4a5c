/** Codes of QCNL, 0xb0xx: `sgx_qcnl_error_t`. */
import type { Answer } from '../../answer.ts';
import type { CodeTable } from '../codes.ts';
import { facts } from './facts.ts';

const codes: readonly (readonly [low: number, name: string, answer: Answer])[] = [
  [0x01, 'UNEXPECTED_ERROR', facts.unexpected],
  [0x02, 'INVALID_PARAMETER', facts.badParameter],
  [0x03, 'NETWORK_ERROR', facts.networkError],
  [0x04, 'NETWORK_PROXY_FAIL', facts.proxyNotFound],
  [0x05, 'NETWORK_HOST_FAIL', facts.hostNotFound],
  [0x06, 'NETWORK_COULDNT_CONNECT', facts.notConnected],
  [0x07, 'NETWORK_HTTP2_ERROR', facts.tlsFailed],
  [0x08, 'NETWORK_WRITE_ERROR', facts.networkError],
  [0x09, 'NETWORK_OPERATION_TIMEDOUT', facts.timedOut],
  [0x0a, 'NETWORK_HTTPS_ERROR', facts.tlsFailed],
  [0x0b, 'NETWORK_UNKNOWN_OPTION', facts.curlInit],
  [0x0c, 'NETWORK_INIT_ERROR', facts.curlInit],
  [0x0d, 'MSG_ERROR', facts.badReply],
  [0x0e, 'OUT_OF_MEMORY', facts.outOfMemory],
  [0x0f, 'ERROR_STATUS_NO_CACHE_DATA', facts.notRegistered],
  [0x10, 'ERROR_STATUS_PLATFORM_UNKNOWN', facts.platformUnknown],
  [0x11, 'ERROR_STATUS_UNEXPECTED', facts.pccsUnexpected],
  [0x12, 'ERROR_STATUS_CERTS_UNAVAILABLE', facts.certificatesUnavailable],
  [0x13, 'ERROR_STATUS_SERVICE_UNAVAILABLE', facts.pccsUnavailable],
  [0x30, 'INVALID_CONFIG', facts.badConfig],
  [0x31, 'CACHE_MISSING', facts.cacheMissing],
  [0x32, 'CACHE_EXPIRED', facts.cacheExpired],
  [0x33, 'ROOT_CA_UNTRUSTED', facts.certificateUntrusted],
];

export const qcnlCodes: CodeTable = {
  title: 'Codes of QCNL',
  base: 16,
  codes: codes.map(([low, name, answer]) => ({
    code: 0xb000 + low,
    names: [`SGX_QCNL_${name}`],
    answer,
  })),
};

/** Those of libcurl that QCNL prints, `CURLE_*`. */
export const curlCodes: CodeTable = {
  title: 'Codes of libcurl that QCNL prints',
  base: 10,
  codes: [
    { code: 5, names: ['CURLE_COULDNT_RESOLVE_PROXY'], answer: facts.proxyNotFound },
    { code: 6, names: ['CURLE_COULDNT_RESOLVE_HOST'], answer: facts.hostNotFound },
    { code: 7, names: ['CURLE_COULDNT_CONNECT'], answer: facts.notConnected },
    { code: 28, names: ['CURLE_OPERATION_TIMEDOUT'], answer: facts.timedOut },
    { code: 35, names: ['CURLE_SSL_CONNECT_ERROR'], answer: facts.tlsFailed },
    { code: 51, names: ['CURLE_PEER_FAILED_VERIFICATION'], answer: facts.certificateUntrusted },
    { code: 60, names: ['CURLE_PEER_FAILED_VERIFICATION'], answer: facts.certificateUntrusted },
  ],
};
