/**
 * Finds the kept TDs. It reads a file or two of each, asks no process and waits for none, so a keeper that hangs, or
 * one TD whose files are damaged, changes nothing for the others.
 */
import { type Dirent, existsSync, lstatSync, readdirSync } from 'node:fs';
import { dnsLabel } from '../documents/name.ts';
import { errnoOf, otherFileErrno } from '../errors/errno.ts';
import type { KeptTd } from './kept-td.ts';
import { conclude } from './recovery/conclude.ts';
import { glance, type Look, lookNow } from './recovery/glance.ts';
import { refused, type StateDirectory } from './state-directory.ts';

/** In order of their names. @throws TdctlError TDCTL_E_STATE_DIRECTORY. */
export function readKeptTds(state: StateDirectory): KeptTd[] {
  const look = lookNow({ forMany: true });
  return entriesOf(state)
    .filter(({ name }) => dnsLabel.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => readEntry(state, entry, look))
    .filter((td) => td !== undefined);
}

/** @returns undefined where there is none of that name. */
export function readKeptTd(state: StateDirectory, name: string): KeptTd | undefined {
  if (!dnsLabel.test(name)) return undefined;
  const stats = lstatSync(state.tdPath(name), { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return readEntry(state, Object.assign(stats, { name }), lookNow({ forMany: false }));
}

type Entry = Pick<Dirent, 'name' | 'isDirectory' | 'isSymbolicLink'>;

/** @returns undefined for one that was removed meanwhile. */
function readEntry(state: StateDirectory, entry: Entry, look: Look): KeptTd | undefined {
  const { name } = entry;
  if (entry.isDirectory()) {
    let evidence = glance(state, name, look);
    if (evidence.files.kind === 'halfMade') {
      if (!existsSync(state.tdPath(name))) return undefined;
      // One that was there may be gone, and another be in its place.
      evidence = glance(state, name, lookNow({ forMany: false }));
    }
    return conclude(evidence).td;
  }
  const why = entry.isSymbolicLink()
    ? 'there is a symbolic link in the place of its directory'
    : 'there is no directory in its place';
  const { now } = look;
  return conclude({
    ...{ name, now, isThisBoot: true, files: { kind: 'damaged', why }, keeper: undefined },
    ...{
      presence: 'nobody',
      vmm: 'nobody',
      lock: undefined,
      lastRecord: undefined,
      closer: undefined,
    },
  }).td;
}

function entriesOf({ tdsPath }: StateDirectory): Dirent[] {
  try {
    return readdirSync(tdsPath, { withFileTypes: true });
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT') return [];
    const message = `this directory cannot be read: ${otherFileErrno(errno)}`;
    throw refused(tdsPath, { message, hint: 'see whose it is: `ls -ld`' }, cause);
  }
}
