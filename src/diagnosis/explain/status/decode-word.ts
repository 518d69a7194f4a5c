/** Takes a status word apart, as far as any table goes. Never throws. */
import { decodeStatus, type OperandName, type StatusName } from '../../../abi/tdx/status.ts';
import { type Recovery, recoveryOf, statusClass } from './classes.ts';
import { kernelWords, loaderWords, rareCodes } from './rare-codes.ts';

/** Who made the word: the module, its loader P-SEAMLDR, or the kernel for want of an answer. */
export type StatusSource = 'module' | 'loader' | 'kernel';

export interface DecodedWord {
  readonly word: bigint;
  readonly source: StatusSource;
  /** undefined: in no table. */
  readonly name: string | undefined;
  /** Set where our ABI knows the code. */
  readonly statusName: StatusName | undefined;
  readonly classNumber: number;
  readonly className: string;
  readonly error: boolean;
  readonly nonRecoverable: boolean;
  readonly fatal: boolean;
  /** Bit 60: the host can bring the TD on again. */
  readonly hostRecoverable: boolean;
  readonly recovery: Recovery;
  readonly details: number;
  readonly operand: OperandName | undefined;
  /** Details that are the number of an MSR. */
  readonly msr: number | undefined;
}

const rareNames = new Map(rareCodes.map(([high, name]) => [high, name]));
const namesMsr = new Set(['TDX_INCONSISTENT_MSR', 'TDX_INCORRECT_MSR_VALUE']);

export function decodeWord(word: bigint, { fromLoader = false } = {}): DecodedWord {
  const decoded = decodeStatus(word);
  const { name, source } = nameOf(word, decoded.name, fromLoader);
  const classNumber = Number((word >> 40n) & 0xffn);
  return {
    word,
    source,
    name,
    statusName: source === 'module' ? decoded.name : undefined,
    classNumber,
    className: source === 'loader' ? 'P-SEAMLDR' : statusClass(classNumber).name,
    error: decoded.error,
    nonRecoverable: decoded.nonRecoverable,
    fatal: decoded.fatal,
    hostRecoverable: ((word >> 60n) & 1n) === 1n,
    recovery: recoveryOf(word),
    details: decoded.details,
    operand: source === 'module' ? decoded.operand : undefined,
    msr: name !== undefined && namesMsr.has(name) ? decoded.details : undefined,
  };
}

function nameOf(
  word: bigint,
  statusName: StatusName | undefined,
  fromLoader: boolean,
): { name: string | undefined; source: StatusSource } {
  if (fromLoader) {
    return { name: loaderWords.find(([known]) => known === word)?.[1], source: 'loader' };
  }
  const byKernel = kernelWords.find((known) => known.word === word);
  if (byKernel) return { name: byKernel.name, source: 'kernel' };
  return { name: statusName ?? rareNames.get(word >> 32n), source: 'module' };
}
