/** The tdctl that TDs are to move to: where its keeper's program lies, and what that says of itself. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { keeperProgram, ownKeeperProgram } from '../../../keeper/launch.ts';
import { askProgram, type Speaks, speaksOf } from '../../../keeper/move/speaks.ts';
import { version } from '../../version.ts';
import { noKeeperProgram, takesNoTds } from './refusals.ts';

export interface TdctlAt extends Speaks {
  /** Its `dist/keeper.js`. */
  readonly program: string;
}

/** Where a package lies below what may be named: itself, what `npm pack` made unpacked, and what npm installs into. */
const packages = ['', 'package', 'lib/node_modules/tdctl', 'node_modules/tdctl'];

/**
 * @param path as given; the tdctl that is typed, where it is left out.
 * @throws TdctlError TDCTL_E_USAGE where there is none; TDCTL_E_API_VERSION where it can take no TD over.
 */
export async function tdctlAt(path: string | undefined): Promise<TdctlAt> {
  if (path === undefined) return { program: ownKeeperProgram(), ...speaksOf(version()) };
  const program = programAt(path);
  if (program === undefined) throw noKeeperProgram(path);
  const said = await askProgram(program);
  if ('printed' in said) throw takesNoTds(program, said.printed);
  return { program, ...said };
}

function programAt(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const real = realpathSync(path);
  const candidates = statSync(real).isDirectory()
    ? packages.map((directory) => join(real, directory, keeperProgram))
    : [join(dirname(real), basename(keeperProgram))];
  const found = candidates.find((candidate) => existsSync(candidate));
  // A name that leads to it may lead to another one tomorrow, and a keeper stays.
  return found && realpathSync(found);
}
