/** A run among the kept TDs for as long as it lasts: it is in `tdctl list`, and can be reached from elsewhere. */
import { resolve } from 'node:path';
import { TD_LIFECYCLE_VERSION } from '../../../machines/td-lifecycle/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { HostIdentity } from '../../host/identity.ts';
import type { KeptSurface } from '../../keeper/api/surface.ts';
import { type KeeperFaults, keeperFaults } from '../../keeper/faults.ts';
import { apiRange, type KeeperIdentity, ownIdentity } from '../../keeper/identity.ts';
import { beginLife, type Life, unwrittenLife } from '../../keeper/life.ts';
import type { KeepRequest } from '../../keeper/request.ts';
import { openStateDirectory, type StateDirectory } from '../../keeper/state-directory.ts';
import { type OwnedTd, ownTd } from '../../keeper/td-directory.ts';
import type { TdFiles } from '../../keeper/td-files.ts';
import type { CommandIo } from '../io.ts';
import { say } from '../output/print.ts';
import { version } from '../version.ts';

export interface Listed {
  readonly life: Life;
  /** Undefined where the run is written down nowhere. */
  readonly state: StateDirectory | undefined;
  /** The same of its directory. */
  readonly files: TdFiles | undefined;
  /** Answers on the socket from now on, or soon. */
  serve(surface: KeptSurface): void;
  /** It is in the list no more. */
  end(): Promise<void>;
}

export type ToList = Pick<
  KeepRequest,
  'name' | 'spec' | 'specPath' | 'host' | 'kernel' | 'faults' | 'anyMeasurement'
>;

export interface ListOptions {
  readonly host: HostIdentity;
  readonly io: CommandIo;
  /** A VMM has its sockets there. */
  readonly isNeeded: boolean;
}

/**
 * Where the list cannot be had, the run goes on without it: it is for whoever watches it.
 *
 * @throws TdctlError where the run needs its directory.
 */
export async function listRun(asked: ToList, { host, io, isNeeded }: ListOptions): Promise<Listed> {
  const keeper = ownIdentity({ tdctl: version(), chartVersion: TD_LIFECYCLE_VERSION });
  const given = { keeper, host, onTrouble: noteOnce(io) };
  try {
    return await listed(asked, { ...given, faults: keeperFaults(io.env), env: io.env });
  } catch (error) {
    if (isNeeded || !(error instanceof TdctlError)) throw error;
    const place = error.place === undefined ? '' : `${error.place}: `;
    say(io, `note: \`tdctl list\` will not have this run: ${place}${error.message}`);
    const life = unwrittenLife({ name: asked.name, ...given });
    return { life, state: undefined, files: undefined, serve: () => {}, end: async () => {} };
  }
}

interface Listing {
  readonly keeper: KeeperIdentity;
  readonly host: HostIdentity;
  readonly onTrouble: (error: TdctlError) => void;
  readonly faults: KeeperFaults;
  readonly env: NodeJS.ProcessEnv;
}

async function listed(asked: ToList, listing: Listing): Promise<Listed> {
  const state = await openStateDirectory(listing.env, { create: true });
  const owned = await ownFreeName(asked.name, state, listing);
  try {
    owned.writeRequest({
      ...asked,
      ...{ version: 1, name: owned.name, specPath: resolve(asked.specPath) },
      ...{ start: true, queue: false, again: false, api: apiRange },
    });
    const life = beginLife(owned, { ...listing, name: owned.name });
    const server = laterServer(owned);
    return {
      life,
      state,
      files: owned.files,
      serve: server.begin,
      async end() {
        await server.end();
        life.close();
        removeQuietly(owned);
      },
    };
  } catch (error) {
    removeQuietly(owned);
    throw error;
  }
}

/** What is left of it is found, and finished, by who next looks for that name. */
function removeQuietly(owned: OwnedTd): void {
  try {
    owned.remove();
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
  }
}

/** `NAME`, or `NAME-2` and so on where there is such a TD: also one that is over is somebody's. */
async function ownFreeName(
  name: string,
  state: StateDirectory,
  { faults, keeper }: Listing,
): Promise<OwnedTd> {
  const { beforeWrite } = faults;
  for (let number = 1; ; number += 1) {
    const owned = await ownTd(state, numbered(name, number), {
      ...{ create: true, keeper, beforeWrite },
    });
    if (owned?.isNew === true) return owned;
    owned?.release();
  }
}

const longestLabel = 63;

function numbered(name: string, number: number): string {
  if (number === 1) return name;
  const suffix = `-${number}`;
  return name.slice(0, longestLabel - suffix.length).replace(/-+$/, '') + suffix;
}

function noteOnce(io: CommandIo): (error: TdctlError) => void {
  let isNoted = false;
  return ({ place, message }) => {
    if (!isNoted) say(io, `note: ${place}: ${message}; the run goes on`);
    isNoted = true;
  };
}

/** A run that is over sooner is reached by nobody, and need not load a server. */
const servedAfterMs = 100;

function laterServer(owned: OwnedTd) {
  let timer: NodeJS.Timeout | undefined;
  let serving: Promise<{ close(): Promise<void> }> | undefined;
  return {
    begin(surface: KeptSurface) {
      timer = setTimeout(() => {
        serving = serve(surface, owned);
        // It is in the list all the same, and a signal stops it.
        serving.catch(() => undefined);
      }, servedAfterMs);
      timer.unref();
    },
    async end() {
      clearTimeout(timer);
      await serving?.then((server) => server.close()).catch(() => undefined);
    },
  };
}

async function serve(surface: KeptSurface, { files }: OwnedTd) {
  const { serveKeeper } = await import('../../keeper/api/server.ts');
  return serveKeeper({ surface, socketPath: files.socket });
}
