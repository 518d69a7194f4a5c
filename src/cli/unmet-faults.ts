/** A fault that was asked for and never came tests nothing, so a command that met none of it has not done as asked. */
import { TdctlError } from '../errors/index.ts';

/** @param faults as `--fault` takes them */
export function faultsNotMet(faults: readonly string[]): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_EXPECTATION',
    op: 'compare with the faults that were asked for',
    message:
      faults.length === 1
        ? 'a fault that was asked for was never met'
        : `${faults.length} faults that were asked for were never met`,
    details: faults.map((fault) => `the run never came to --fault ${fault}`),
    hint: 'the number after # counts the calls of that name from 1: `tdctl run SPEC --host sim --trace FILE` lists every call; docs/simulator.md ("Faults")',
  });
}
