/** Codes in a reply of QGS, 0x120xx: `qgs_msg_error_t`. It says "unexpected" for every failure of a quote. */
import type { Answer } from '../../answer.ts';
import type { CodeTable } from '../codes.ts';

const noQuote: Answer = {
  // Phala documentation of dstack: QCNL of the host is misconfigured.
  id: 'qgs.answers-without-quote',
  meaning: 'QGS of the host answered that it made no quote (0x12001); its own log says why',
  causes: [
    'QGS got no certificate for the platform: PCCS is not reached, or the platform is not registered',
    'an enclave that makes quotes could not be loaded',
  ],
  next: 'read `journalctl -u qgsd` on the host, or explain it: `journalctl -u qgsd | tdctl explain -`',
};

const protocol: Answer = {
  id: 'qgs.protocol',
  meaning: 'QGS and the side that asks do not speak the same message protocol',
  causes: ['QEMU or the library in the TD is of another DCAP generation than QGS'],
  next: 'update tdx-qgs on the host to DCAP 1.21 or later, and the library in the TD',
};

const codes: readonly (readonly [low: number, name: string, answer: Answer])[] = [
  [0x01, 'UNEXPECTED', noQuote],
  [
    0x02,
    'OUT_OF_MEMORY',
    {
      id: 'qgs.out-of-memory',
      meaning: 'QGS got no memory for its reply',
      next: 'check `free -h`, and restart qgsd',
    },
  ],
  [0x03, 'INVALID_PARAMETER', protocol],
  [0x04, 'INVALID_VERSION', protocol],
  [0x05, 'INVALID_TYPE', protocol],
  [0x06, 'INVALID_SIZE', protocol],
  [0x07, 'INVALID_CODE', protocol],
];

export const qgsCodes: CodeTable = {
  title: 'Codes in a reply of QGS',
  base: 16,
  codes: codes.map(([low, name, answer]) => ({
    code: 0x12000 + low,
    names: [`QGS_MSG_ERROR_${name}`],
    answer,
  })),
};

export const qgsProtocol = protocol;
export const qgsWithoutQuote = noQuote;
