/** The directory of one shared host, for the one process that serves it: `host/NAME` in the state directory. */
import { TdctlError } from '../../errors/index.ts';
import { notWritable } from '../../files/not-writable.ts';
import { replaceFile } from '../../files/owned-file.ts';
import { makePrivateDirectory } from '../../files/private-directory.ts';
import type { ProcessIdentity } from '../identity.ts';
import { takeDirectory } from '../owned-directory.ts';
import { refuseWhatOthersWrite, type StateDirectory } from '../state-directory.ts';
import { finishCutOff } from '../td-directory.ts';
import { checkTdName, removingPath } from '../td-files.ts';
import { removeAside } from '../td-making.ts';

/** Names in the directory of a host, and what each file is. */
const hostFileNames = {
  lock: 'lock',
  /** Who serves it, and what it is. */
  record: 'host.json',
  socket: 'control.sock',
  /** Programs that are no tdctl come by it too: their fds, for which Node's own sockets have no way. */
  fds: 'fds.sock',
  log: 'host.log',
  /** What /proc and /sys of the machine would say, laid out as `tdctl doctor --root` takes it. */
  facts: 'facts',
} as const;

export type HostFiles = Readonly<Record<'directory' | keyof typeof hostFileNames, string>>;

/** `host.json` */
export interface HostRecord {
  readonly version: 1;
  readonly server: ProcessIdentity;
  /** The simulated machine, by the names that `--host` and `--kernel` have for it. */
  readonly machine: string;
  readonly kernel: string;
  /** The version of the protocol that its socket speaks. */
  readonly protocol: number;
}

export interface OwnedHost {
  readonly name: string;
  readonly files: HostFiles;
  /** Whether what was there was left by a process that was killed. */
  readonly isNew: boolean;
  /** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  writeRecord(record: HostRecord): void;
  /** Removes the directory, and gives up the lock. @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  remove(): void;
  /** Gives up the lock alone. */
  release(): void;
}

export function hostsPath({ path }: StateDirectory): string {
  return `${path}/host`;
}

/** @throws TdctlError TDCTL_E_USAGE for what is no name. */
export function hostFiles(state: StateDirectory, name: string): HostFiles {
  checkTdName(name, 'shared host');
  const directory = `${hostsPath(state)}/${name}`;
  const paths = Object.entries(hostFileNames).map(([key, file]) => [key, `${directory}/${file}`]);
  return { directory, ...Object.fromEntries(paths) };
}

/**
 * @returns undefined where another process serves it.
 * @throws TdctlError TDCTL_E_USAGE for what is no name, TDCTL_E_NOT_FOUND where there is none and none is to be made,
 * TDCTL_E_STATE_DIRECTORY, TDCTL_E_NOT_WRITABLE.
 */
export async function ownHost(
  state: StateDirectory,
  name: string,
  { create }: { readonly create: boolean },
): Promise<OwnedHost | undefined> {
  const files = hostFiles(state, name);
  const parent = hostsPath(state);
  if (create) {
    makePrivateDirectory(parent);
    refuseWhatOthersWrite(parent);
    await finishCutOff({ tdsPath: parent }, name);
  }
  const taken = await takeDirectory(files, {
    what: 'shared host',
    making: create ? { parent, name, begin: () => {} } : undefined,
    notFound: () => noSuchHost(name),
  });
  if (taken === undefined) return undefined;
  const { lock, isNew } = taken;
  const { directory } = files;
  return {
    ...{ name, files, isNew, release: lock.release },
    writeRecord(record) {
      const file = { path: files.record, what: 'record of the shared host' };
      replaceFile(file, `${JSON.stringify(record)}\n`, { flush: false });
    },
    remove() {
      try {
        removeAside(directory, removingPath(parent, name));
      } catch (cause) {
        throw notWritable({ path: directory, what: 'directory of the shared host' }, cause);
      } finally {
        lock.release();
      }
    },
  };
}

export function noSuchHost(name: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'look for a shared host by its name',
    message: `there is no shared host ${name}`,
    hint: `\`tdctl host list\` has those that there are; \`tdctl host start ${name}\` starts it`,
  });
}
