/** The answer to a status word, narrowed by the leaf that gave it where the leaf is known. */
import { type StatusName, statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer } from '../answer.ts';
import { statusClass } from './classes.ts';
import { type DecodedWord, decodeWord } from './decode-word.ts';
import type { Leaf, LeafName } from './leaves.ts';
import { kernelWords, loaderWords, rareCodes } from './rare-codes.ts';
import { refinements } from './refinements.ts';
import { generalRows } from './rows/general.ts';
import { guestMemoryRows } from './rows/guest-memory.ts';
import { keyAndPlatformRows } from './rows/keys-and-platform.ts';
import { migrationRows } from './rows/migration.ts';
import { pageAndSystemRows } from './rows/pages-and-system.ts';
import { tdAndVcpuRows } from './rows/td-and-vcpu.ts';
import type { StatusRow } from './status-row.ts';

export const statusRows: Readonly<Record<StatusName, StatusRow>> = {
  ...generalRows,
  ...pageAndSystemRows,
  ...tdAndVcpuRows,
  ...keyAndPlatformRows,
  ...guestMemoryRows,
  ...migrationRows,
};

export interface StatusExplanation {
  readonly decoded: DecodedWord;
  readonly leaf: Leaf | undefined;
  /** Leaves that return the code; empty: any may, or it is not known. */
  readonly returnedBy: readonly LeafName[];
  /** undefined: the code is in no table. */
  readonly answer: Answer | undefined;
}

export function explainStatus(word: bigint, leaf?: Leaf): StatusExplanation {
  const fromLoader = leaf?.name?.startsWith('SEAMLDR.') ?? false;
  const decoded = decodeWord(word, { fromLoader });
  const row = decoded.statusName === undefined ? undefined : statusRows[decoded.statusName];
  return {
    decoded,
    leaf,
    returnedBy: row?.returnedBy ?? [],
    answer: refinementFor(decoded, leaf) ?? answersByName.get(decoded.name ?? ''),
  };
}

function refinementFor(decoded: DecodedWord, leaf: Leaf | undefined): Answer | undefined {
  return refinements.find(
    (row) =>
      row.status === decoded.name &&
      (row.operand === undefined || row.operand === decoded.operand) &&
      (row.leaf === undefined || row.leaf === (leaf?.name ?? onlyLeafOf(row.status))),
  );
}

// A bare word comes without its leaf. These two codes are met nowhere but at TDH.SYS.INIT.
function onlyLeafOf(status: string): LeafName | undefined {
  return status === 'TDX_INCORRECT_CPUID_VALUE' || status === 'TDX_INCORRECT_MSR_VALUE'
    ? 'TDH.SYS.INIT'
    : undefined;
}

/** `TDX_OPERAND_BUSY` is `status.operand-busy`, `PSEAMLDR_EBADSIG` is `loader.ebadsig`. */
function statusId(name: string): string {
  const bare = name
    .replace(/^(TDX_|PSEAMLDR_)/, '')
    .toLowerCase()
    .replaceAll('_', '-');
  return name.startsWith('PSEAMLDR_') ? `loader.${bare}` : `status.${bare}`;
}

const loaderNext =
  'take a module image that Intel lists for this CPU and running module; then repeat the update';

const answersByName: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ...Object.entries(statusRows).map(([name, { meaning, causes, next }]): [string, Answer] => [
    name,
    { id: statusId(name), meaning, next, ...(causes === undefined ? {} : { causes }) },
  ]),
  ...rareCodes.map(([high, name, meaning]): [string, Answer] => [
    name,
    { id: statusId(name), meaning, next: statusClass(Number((high >> 8n) & 0xffn)).next },
  ]),
  ...kernelWords.map(({ name, meaning, causes, next }): [string, Answer] => [
    name,
    { id: statusId(name), meaning, causes, next },
  ]),
  ...loaderWords.map(([, name, meaning]): [string, Answer] => [
    name,
    { id: statusId(name), meaning, next: loaderNext },
  ]),
]);

/** The word of a code that is given by its name, with or without `TDX_`. */
export function wordOfStatusName(name: string): bigint | undefined {
  return wordsByName.get(name.toUpperCase()) ?? wordsByName.get(`TDX_${name.toUpperCase()}`);
}

const wordsByName: ReadonlyMap<string, bigint> = new Map([
  ...Object.entries(statusCodes),
  ...rareCodes.map(([high, name]): [string, bigint] => [name, high << 32n]),
  ...kernelWords.map(({ name, word }): [string, bigint] => [name, word]),
]);

export const statusAnswers: readonly Answer[] = [...refinements, ...answersByName.values()];
