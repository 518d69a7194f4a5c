/**
 * An option that would change nothing is refused, because whoever gave it believes that it did. What an option
 * needs is said where it is declared; what only the files of the command can tell is refused by its work.
 */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { TdctlError } from '../errors/index.ts';

type Values = Readonly<Record<string, unknown>>;

interface Need {
  /** Whether the option has an effect, by the values of all options; `args` are the arguments. */
  readonly has: (values: Values) => boolean;
  /** A clause that says when it has: `for \`--output text\``. */
  readonly only: string;
}

const needs = new WeakMap<object, Need>();

export const usefulWith =
  (need: Need) =>
  <Declared extends object>(declared: Declared): Declared => {
    needs.set(declared, need);
    return declared;
  };

/** @throws TdctlError TDCTL_E_USAGE for an option that was given and changes nothing. */
export function checkOptions(command: CommandUnknownOpts): void {
  const values = { ...command.opts(), args: command.processedArgs };
  for (const declared of given(command)) {
    const need = needs.get(declared);
    if (need === undefined || need.has(values)) continue;
    throw uselessOption(nameOf(declared), `it is ${need.only}`);
  }
  for (let { parent } = command; parent !== null; parent = parent.parent) {
    const [first] = given(parent);
    if (first === undefined) continue;
    throw uselessOption(
      nameOf(first),
      `it stands before \`${command.name()}\`, and is an option of \`${parent.name()}\` alone`,
    );
  }
}

/** @param why a clause that follows `it would change nothing: ` */
export function uselessOption(option: string, why: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'look at the options',
    place: option,
    message: `it would change nothing: ${why}`,
    hint: `leave ${option} out, or add what it needs`,
  });
}

function given(command: CommandUnknownOpts) {
  return command.options.filter(
    (option) => command.getOptionValueSource(option.attributeName()) === 'cli',
  );
}

function nameOf({ long, flags }: { readonly long?: string; readonly flags: string }): string {
  return long ?? flags;
}
