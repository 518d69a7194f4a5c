/** What QCNL and QPL print on the host, by which QGS asks PCCS for the certificate of the platform. */
import { namesOf } from '../codes.ts';
import { type MessageRow, messages } from '../message.ts';
import { facts } from './facts.ts';
import { curlCodes, qcnlCodes } from './qcnl-codes.ts';
import { verifyingFacts } from './verifying-facts.ts';

/** The samples of DCAP put the level behind the name of the library: `[QPL] Error: Failed to …`. */
const bySamples = (rows: readonly MessageRow[]): readonly MessageRow[] =>
  rows.map((row) => ({
    ...row,
    says: [row.says].flat().flatMap((text) => {
      const [name] = /^\[Q\w+\]/.exec(text) ?? [];
      return name === undefined ? [text] : [text, text.replace(name, `${name} Error:`)];
    }),
  }));

export const qcnl = messages(
  {
    by: 'QCNL',
    place: 'host',
    source: 'intel/confidential-computing.tee.dcap, QuoteGeneration/qcnl',
  },
  bySamples([
    {
      says: [
        '[QCNL] Encountered CURL error: ({code:int}) {reason}',
        '[QPL] Encountered CURL error: ({code:int}) {reason}',
      ],
      codes: [curlCodes],
      answer: facts.networkError,
    },
    {
      says: [
        '[QCNL] Response message error',
        '[QCNL] Failed to parse cpu svn',
        '[QCNL] Failed to parse pce svn',
      ],
      answer: facts.badReply,
    },
    { says: '[QCNL] Out of memory', answer: facts.outOfMemory },
    {
      says: '[QCNL] HTTP status code: 200',
      answer: {
        id: 'qcnl.pccs-answered',
        rank: 'healthy',
        meaning: 'PCCS answered a request of QCNL',
        next: 'nothing to do',
      },
    },
    ...namesOf(qcnlCodes),
  ]),
);

export const qpl = messages(
  {
    by: 'QPL',
    place: 'host',
    source: 'intel/confidential-computing.tee.dcap, QuoteGeneration/qpl',
  },
  bySamples([
    {
      says: [
        '[QPL] Failed to get quote config. Error code is 0x{code:hex}',
        '[QPL] QCNL returns failure. Error code is 0x{code:hex}',
      ],
      codes: [qcnlCodes],
      answer: facts.unexpected,
    },
    {
      says: [
        '[QPL] Failed to get PCK CRL and certchain : 0x{code:hex}',
        '[QPL] Failed to get TCBInfo : 0x{code:hex}',
        '[QPL] Failed to get QE identity : 0x{code:hex}',
        '[QPL] Failed to get root CA CRL : 0x{code:hex}',
      ],
      answer: {
        ...verifyingFacts.noCollateral,
        rank: 'effect',
        id: 'qpl.no-collateral',
        meaning: 'QPL got no collateral from PCCS, which a verifier needs',
        next: 'look for the "[QCNL]" line before it, and at `journalctl -u pccs`',
      },
    },
    { says: '[QPL] No certificate data for this platform', answer: facts.notRegistered },
    {
      says: [
        '[QPL] Failed to process PCK CRL',
        '[QPL] Failed to process TCBInfo',
        '[QPL] Failed to process QE identity',
        '[QPL] Invalid certificate chain',
        '[QPL] Invalid QE identity',
        '[QPL] Failed to get root certificate',
        '[QPL] Failed to get root CA CDP Point',
      ],
      answer: facts.badReply,
    },
    {
      says: '[QPL] QCNL is configured with an unsupported API version',
      answer: {
        id: 'qpl.api-version',
        meaning: 'the API version in the configuration of QCNL is none that it knows',
        next: 'put /sgx/certification/v4/ into pccs_url of /etc/sgx_default_qcnl.conf; TDX needs v4',
      },
    },
    { says: '[QPL] Out of memory', answer: facts.outOfMemory },
    { says: '[QPL] Invalid parameter', answer: facts.badParameter },
  ]),
);
