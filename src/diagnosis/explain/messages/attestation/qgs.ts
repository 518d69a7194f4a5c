/** What the quote generation service (qgsd) prints on the host. */
import { inDecimal, namesOf } from '../codes.ts';
import { messages } from '../message.ts';
import { quoteCodes, teeAttCodes } from './dcap-codes.ts';
import { facts } from './facts.ts';
import { qgsCodes, qgsProtocol } from './qgs-codes.ts';
import { quotingFacts } from './quoting-facts.ts';

export const qgs = messages(
  {
    by: 'QGS',
    place: 'host',
    source: 'intel/confidential-computing.tee.dcap, QuoteGeneration/quote_wrapper/qgs',
  },
  [
    {
      says: [
        'tee_att_init_quote return 0x{code:hex}',
        'tee_att_get_quote_size return 0x{code:hex}',
        'tee_att_get_quote return 0x{code:hex}',
        'tee_att_get_platform_info return 0x{code:hex}',
        'tee_att_get_qpl_handle return 0x{code:hex}',
      ],
      codes: [teeAttCodes],
      answer: facts.unexpected,
    },
    {
      says: [
        'tee_att_get_quote return Success',
        'tee_att_get_platform_info return Success',
        'tdx_ql_get_quote_verification_collateral return SUCCESS',
      ],
      answer: {
        id: 'qgs.quote-made',
        rank: 'healthy',
        meaning: 'QGS made what it was asked for',
        next: 'nothing to do',
      },
    },
    {
      says: 'call tee_att_init_quote',
      answer: {
        id: 'qgs.init-quote-called',
        rank: 'healthy',
        meaning: 'QGS begins to make itself ready for quotes; what it came to is in a later line',
        next: 'look for "tee_att_init_quote return" after it',
      },
    },
    {
      says: [
        'call tee_att_create_context',
        'create context in thread[{thread:word}]',
        'process raw request [{bytes:int}] bytes',
        'process legecy request [{bytes:int}] bytes',
        'process legacy request [{bytes:int}] bytes',
        'unpack message successfully in thread [{thread:word}]',
        'About to write response in thread [{thread:word}]',
        'handle_read:[system:0Received {bytes:int} bytes.]',
        'Return from get_resp',
        'enter prepare_response',
      ],
      answer: {
        id: 'qgs.at-work',
        rank: 'healthy',
        meaning: 'QGS works on a request',
        next: 'nothing to do',
      },
    },
    {
      says: [
        'About to create QgsServer',
        'Use unix socket: /var/run/tdx-qgs/qgs.socket',
        'Parameters after command line check: num_thread = {n:int}',
      ],
      answer: {
        id: 'qgs.started',
        rank: 'healthy',
        meaning: 'QGS starts, and listens for requests',
        next: 'nothing to do',
      },
    },
    {
      says: 'tdx_ql_get_quote_verification_collateral return {code:int}',
      codes: [inDecimal(quoteCodes)],
      answer: facts.unexpected,
    },
    {
      says: 'Cannot find tdx quote verification functions',
      answer: {
        id: 'qgs.no-verification-functions',
        meaning: 'the quote provider library (QPL) is too old to have what QGS asks of it for TDX',
        next: 'update libsgx-dcap-default-qpl to the release of tdx-qgs, and restart qgsd',
      },
    },
    {
      says: [
        'qgs_msg_inflate_get_quote_req return error',
        'qgs_msg_inflate_get_collateral_req return error',
        'qgs_msg_inflate_get_platform_info_req return error',
        'invalid message length, close connection!.',
        'invalid request, close connection!.',
      ],
      answer: qgsProtocol,
    },
    {
      says: 'body should be [{bytes:int}] bytes!',
      answer: qgsProtocol,
      say: ({ bytes }) =>
        Number(bytes) > 0
          ? {
              rank: 'healthy',
              meaning: 'QGS waits for the rest of a request',
              next: 'nothing to do',
            }
          : // canonical/tdx#220: a raw report was read as the length of a message.
            {
              meaning:
                'QGS took the report of the TD for the header of a message, and then waits in vain: QEMU sends reports that this QGS does not take',
            },
    },
    {
      says: ['resp_size is 0', 'call qgs_msg_gen function failed'],
      answer: {
        id: 'qgs.no-reply',
        rank: 'effect',
        meaning:
          'QGS closes a connection without an answer, because it has none; lines before say why',
        next: 'look for the first "[QCNL]" or "[QPL]" line before it',
      },
    },
    {
      says: [
        'Failed to open config file /etc/qgs.conf',
        'Wrong config format in /etc/qgs.conf',
        'Please input valid port number in /etc/qgs.conf',
        'Please input valid thread number[0, 255] in /etc/qgs.conf',
        'Please input valid socket mode in /etc/qgs.conf',
      ],
      answer: {
        id: 'qgs.configuration',
        meaning: '/etc/qgs.conf is missing or not valid, so QGS does not listen where QEMU asks',
        next: 'write `port = 4050` into /etc/qgs.conf (vsock), or leave port out for /var/run/tdx-qgs/qgs.socket; restart qgsd',
      },
    },
    {
      says: 'Access denied to create path for socket: {path:word}',
      answer: {
        id: 'qgs.socket-directory',
        meaning: 'QGS may not make the directory of its socket',
        causes: ['/var/run/tdx-qgs is missing, and the user of qgsd may not make it'],
        next: '`install -d -o qgsd /var/run/tdx-qgs`, and restart qgsd',
      },
    },
    ...namesOf(qgsCodes),
  ],
);

export const quoteLibrary = messages(
  {
    by: 'the TD quote library',
    place: 'host',
    source: 'intel/confidential-computing.tee.dcap, QuoteGeneration/quote_wrapper/tdx_quote',
  },
  [
    {
      says: 'Error returned from the p_sgx_get_quote_config API. 0x{code:hex}',
      codes: [quoteCodes],
      answer: facts.unexpected,
    },
    {
      says: [
        "Couldn't load the platform library",
        "Couldn't find the platform library",
        'Cannot open Quote Provider Library {file:word}',
        "Couldn't find 'sgx_ql_get_quote_config()' and 'sgx_ql_free_quote_config()' in the platform library",
      ],
      answer: quotingFacts.noProviderLibrary,
    },
    {
      says: [
        'Error, call sgx_create_enclave QE fail [{function}], SGXError:{error:hex}',
        'Error, call sgx_create_enclave for PCE fail [{function}], SGXError:{error:hex}',
        'Error, call sgx_create_enclave ID_ENCLAVE fail [{function}], SGXError:{error:hex}',
        'Failed call into the ID_ENCLAVE. 0x{error:hex}',
      ],
      answer: quotingFacts.enclaveNotLoaded,
    },
    {
      says: [
        'Error returned from the sgx_ql_write_persistent_data API. 0x{code:hex}',
        'Error returned from the sgx_ql_read_persistent_data API. 0x{code:hex}',
      ],
      answer: {
        id: 'attestation.key-not-kept',
        rank: 'note',
        meaning:
          'the attestation key is not kept on the disk; the service makes a new one when it starts',
        next: 'nothing, unless a code other than 0 follows in "tee_att_init_quote return"',
      },
    },
    {
      says: [
        'p_sgx_get_quote_config returned NULL for p_pck_cert_config',
        'p_sgx_get_quote_config returned incompatible pck_cert_config version',
        'sgx_ql_get_quote_config returned NULL for p_cert_data',
      ],
      answer: facts.badReply,
    },
    // Dstack-TEE/dstack#819: the same, asked by way of the SGX service.
    { says: 'AESM_NO_PLATFORM_CERT_DATA', answer: facts.notRegistered },
    { says: 'AESM_ATT_KEY_NOT_INITIALIZED', answer: quotingFacts.noKey },
    { says: 'AESM_KEY_CERTIFICATION_ERROR', answer: quotingFacts.tcbTooHigh },
    { says: 'AESM_NO_DEVICE_ERROR', answer: quotingFacts.noSgxDevice },
    ...namesOf(quoteCodes),
    ...namesOf(teeAttCodes),
  ],
);
