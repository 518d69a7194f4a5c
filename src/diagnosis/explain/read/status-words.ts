/** Finds status words in a line, and the leaf that gave them. */
import { type Leaf, leafByName, leafByNumber } from '../status/leaves.ts';

// "failed: 0xc000…", "error 0xc000…", "hw_errors: 0xc000…", "status=0xc000…", "vp_enter_ret 0xc000…"
const inContext =
  /\b(?:failed|errors?|err|status|hw_errors?|vp_enter_ret|returned)\b\s{0,3}[:=]?\s{0,3}["'(]{0,2}0x([0-9a-f][0-9a-f_]{0,18})(?:ULL)?\b/gi;
/** A status word stands behind one of these. */
export const wordsOfStatus: readonly string[] =
  'failed error errors err status hw_error hw_errors vp_enter_ret returned'.split(' ');

const inHwError = /hw_errors?"?\s{0,3}[:=]?\s{0,3}["'(]{0,2}(?:0x)?([0-9a-f][0-9a-f_]{0,18})/i;
// With 0x from 9 digits on, without it exactly 16; underscores may part the digits.
const prefixed = /(?<![\w.])0x([0-9a-f](?:_?[0-9a-f]){8,15})(?:ULL)?(?!\w)/gi;
const unprefixed = /(?<![\w.])([0-9a-f](?:_?[0-9a-f]){15})(?:ULL)?(?!\w)/gi;

/** Registers that the kernel prints below a failed SEAMCALL; their values are no status. */
const registers = /\b(?:R[ABCD]X|R[SD]I|RBP|R\d{1,2})\b\s{0,3}[:=]?\s{0,3}0x[0-9a-f]+/gi;

/** Codes of other programs are short (`tee_verify_quote failed: 0xe019`); a status that something failed with never is. */
export function statusWordsIn(line: string): readonly bigint[] {
  return wordsOf(line, [inContext]).filter((word) => word === 0n || word >> 32n !== 0n);
}

/** Any word of the right length: for what a person typed, not for a whole log. */
export function bareStatusWordsIn(text: string): readonly bigint[] {
  const inLine = statusWordsIn(text);
  return inLine.length > 0 ? inLine : wordsOf(text, [prefixed, unprefixed]);
}

function wordsOf(text: string, patterns: readonly RegExp[]): readonly bigint[] {
  const rest = text.replace(registers, '');
  const digits = patterns.flatMap((pattern) =>
    [...rest.matchAll(pattern)].map(([, found]) => toWord(found ?? '')),
  );
  return [...new Set(digits.filter((word) => word !== undefined))];
}

/** hw_error of a request: 0n says that the kernel refused it, not the module. */
export function hwErrorIn(line: string): bigint | undefined {
  const digits = inHwError.exec(line)?.[1];
  return digits === undefined ? undefined : toWord(digits);
}

function toWord(digits: string): bigint | undefined {
  const bare = digits.replaceAll('_', '');
  return bare.length === 0 || bare.length > 16 ? undefined : BigInt(`0x${bare}`);
}

// `SEAMCALL (0x0000000000000021) failed`, and `leaf 33` before Linux 6.8.
const leafNumber =
  /SEAMCALL\s{0,3}\(?\s?(0x[0-9a-f]{1,16})\b|\bleaf\s{0,3}:?\s{0,3}(0x[0-9a-f]{1,16}|\d{1,5})\b/i;
const leafName = /\b(?:TDH|SEAMLDR)[._][A-Z]+(?:[._][A-Z]+){0,3}\b/i;

export function leafIn(line: string): Leaf | undefined {
  const name = leafName.exec(line)?.[0];
  const named = name === undefined ? undefined : leafByName(name);
  if (named) return named;
  const number = leafNumber.exec(line);
  const digits = number?.[1] ?? number?.[2];
  return digits === undefined ? undefined : leafByNumber(BigInt(digits));
}
