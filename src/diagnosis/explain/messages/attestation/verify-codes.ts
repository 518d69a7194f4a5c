/** Results of a verification, 0xa0xx: `sgx_ql_qv_result_t`, also called `tee_qv_result_t`. */
import type { Answer } from '../../answer.ts';
import type { CodeTable } from '../codes.ts';
import { verifyingFacts as verifying } from './verifying-facts.ts';

const codes: readonly (readonly [code: number, name: string, answer: Answer])[] = [
  [0x0000, 'OK', verifying.trusted],
  [0xa001, 'CONFIG_NEEDED', verifying.configurationNeeded],
  [0xa002, 'OUT_OF_DATE', verifying.tcbOutOfDate],
  [0xa003, 'OUT_OF_DATE_CONFIG_NEEDED', verifying.tcbOutOfDate],
  [0xa004, 'INVALID_SIGNATURE', verifying.signature],
  [0xa005, 'REVOKED', verifying.revoked],
  [0xa006, 'UNSPECIFIED', verifying.notJudged],
  [0xa007, 'SW_HARDENING_NEEDED', verifying.hardeningNeeded],
  [0xa008, 'CONFIG_AND_SW_HARDENING_NEEDED', verifying.configurationNeeded],
  [0xa009, 'TD_RELAUNCH_ADVISED', verifying.relaunch],
  [0xa00a, 'TD_RELAUNCH_ADVISED_CONFIG_NEEDED', verifying.relaunch],
];

export const verifyCodes: CodeTable = {
  title: 'Results of a verification',
  base: 16,
  codes: codes.map(([code, name, answer]) => ({
    code,
    names: [`SGX_QL_QV_RESULT_${name}`, `TEE_QV_RESULT_${name}`],
    answer,
  })),
};
