/** From `--hosts` to hosts by name, one at a time, because directories may hold thousands of files. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { standardStream } from '../../documents/path-in-words.ts';
import { TdctlError } from '../../errors/index.ts';
import { defaultHostProfile } from '../../simulator/index.ts';
import { hostFileEnding, isHostFile } from '../host-file.ts';

/** A host to be read, or why one was not even tried. */
export type NamedHost =
  | { readonly name: string; readonly place: string }
  | { readonly problem: TdctlError };

/** Hosts come in the order asked for, and the files of a directory by name. A file is judged only once. */
export function* namedHosts(hosts: readonly string[]): Generator<NamedHost> {
  const placeOfName = new Map<string, string>();
  for (const asked of hosts) {
    for (const place of placesOf(asked)) {
      if (place instanceof TdctlError) {
        yield { problem: place };
        continue;
      }
      const name = nameOf(place);
      const other = placeOfName.get(name);
      if (other === undefined) {
        placeOfName.set(name, place);
        yield { name, place };
      } else if (!isSameFile(place, other)) {
        yield { problem: twoOfOneName(name, { place, other }) };
      }
    }
  }
}

/** Hosts are named as in `--host`, so `sim:FILE` is the file and `sim` the profile that it is there. */
function* placesOf(named: string): Generator<string | TdctlError> {
  const asked = isProfile(named) ? named : named.replace(/^sim:/, '');
  if (asked === 'sim') {
    yield `sim:${defaultHostProfile}`;
    return;
  }
  if (isProfile(asked) || asked === standardStream) {
    yield asked;
    return;
  }
  let names: string[];
  try {
    if (!statSync(asked).isDirectory()) {
      yield asked;
      return;
    }
    names = readdirSync(asked);
  } catch (cause) {
    yield notListed(asked, cause);
    return;
  }
  // localeCompare would not do, because the order must be the same on every machine.
  const files = names.filter((name) => hostFileEnding.test(name)).sort();
  if (files.length === 0) yield noHostFiles(asked, names.length);
  for (const name of files) yield join(asked, name);
}

export function isProfile(host: string): boolean {
  return host.startsWith('sim:') && !isHostFile(host);
}

/** A file is known by its name, as captures name no machine. */
function nameOf(place: string): string {
  return isProfile(place) ? place : basename(place).replace(hostFileEnding, '');
}

function isSameFile(one: string, other: string): boolean {
  try {
    return one === other || realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}

function twoOfOneName(
  name: string,
  { place, other }: { readonly place: string; readonly other: string },
): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_AMBIGUOUS',
    op: 'list the hosts',
    place,
    message: `there are two hosts with the name \`${name}\``,
    details: [`the other is ${other}, and it was judged`],
    hint: 'rename one of the two files: a host is known by the name of its file',
  });
}

function notListed(place: string, cause: unknown): TdctlError {
  const errno = (cause as NodeJS.ErrnoException).code;
  const isMissing = errno === 'ENOENT' || errno === 'ENOTDIR';
  return new TdctlError({
    code: isMissing ? 'TDCTL_E_NOT_FOUND' : 'TDCTL_E_NOT_READABLE',
    op: 'list the hosts',
    place,
    message: isMissing
      ? 'there is no such file or directory of hosts'
      : 'the directory cannot be listed by this user',
    hint: isMissing
      ? 'name files of `tdctl host capture`, a directory of them, or sim:PROFILE'
      : 'check the permissions of the directory and of those above it',
    cause,
  });
}

function noHostFiles(place: string, others: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'list the hosts',
    place,
    message:
      others === 0
        ? 'the directory is empty'
        : `none of the ${others} entries of the directory is a *.json, *.yaml or *.yml file`,
    hint: 'fill it with files of `tdctl host capture`; directories below it are not looked into',
  });
}
