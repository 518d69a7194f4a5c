/** What is done with a TD, as `tdctl` does it: by its own functions, or by the command itself where that is to die. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import { TdctlError } from '../errors/index.ts';
import type { KeptVerb } from '../keeper/api/verbs.ts';
import { connectTd } from '../keeper/client.ts';
import { keeperFaultVariable } from '../keeper/faults.ts';
import { sharedCgroupVariable } from '../keeper/hosts/operations.ts';
import { apiRange } from '../keeper/identity.ts';
import { keeperCommand, launchKeeper, launchMove } from '../keeper/launch.ts';
import type { MoveReport } from '../keeper/move/report.ts';
import type { KeepRequest } from '../keeper/request.ts';
import type { MigrationRunEvent } from '../orchestrator/index.ts';
import { packageRoot } from '../package-root.ts';
import type { Deaths } from './deaths.ts';
import { type OwnHost, ownHostName } from './own-host.ts';
import type { PlayedTd } from './played-td.ts';

export interface CommandsOptions {
  readonly host: OwnHost;
  readonly deaths: () => Deaths;
  /** `none`: the kernel answers what a move would be refused for. */
  readonly checks: 'all' | 'none';
  readonly signal: AbortSignal;
}

/** What came of a command that could not do what was asked; null where it has. */
export type Refused = TdctlError | null;

export interface Moved {
  readonly refused: Refused;
  readonly report: MoveReport | undefined;
  readonly events: readonly MigrationRunEvent<ErrorInWords>[];
}

export class Commands {
  readonly #options: CommandsOptions;
  readonly #underWay = new Map<string, ChildProcess>();

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** The process of the command that acts on a TD, where there is one. */
  pidFor(td: string): number | undefined {
    return this.#underWay.get(td)?.pid;
  }

  async create(td: PlayedTd): Promise<Refused> {
    td.keepers += 1;
    const env = this.#env(td, '/');
    if (this.#options.deaths().killsCommandOf(td.name)) {
      const args = ['create', td.source.path, '--name', td.name, '--start'];
      return this.#run(td.name, [...args, '--host', ownHostName], env);
    }
    const { signal } = this.#options;
    return refusal(launchKeeper(requestOf(td), { env, signal }));
  }

  async migrate(td: PlayedTd, { cgroup }: { readonly cgroup: string }): Promise<Moved> {
    td.keepers += 1;
    td.isMoving = true;
    const env = this.#env(td, cgroup);
    const events: MigrationRunEvent<ErrorInWords>[] = [];
    if (this.#options.deaths().killsCommandOf(td.name)) {
      const refused = await this.#run(td.name, ['migrate', td.name], env);
      return { refused, report: undefined, events };
    }
    let report: MoveReport | undefined;
    const move = async () => {
      report = await launchMove(
        { ...requestOf(td), moves: true },
        {
          ...{ env, signal: this.#options.signal, command: keeperCommand(td.name) },
          onMove: (event) => events.push(event),
        },
      );
    };
    return { refused: await refusal(move()), report, events };
  }

  act(td: PlayedTd, verb: KeptVerb): Promise<Refused> {
    const { state } = this.#options.host;
    const acted = async () => {
      const client = await connectTd(state, td.name, { deadlineMs: 5000 });
      await client.act(verb).finally(() => client.close());
    };
    return refusal(acted());
  }

  #env({ name, keepers }: PlayedTd, cgroup: string): NodeJS.ProcessEnv {
    const { host, deaths, checks } = this.#options;
    const faults = [
      ...deaths().faultsOf({ td: name, keeper: keepers }),
      ...(checks === 'none' ? ['unchecked'] : []),
    ];
    return {
      ...host.env,
      [keeperFaultVariable]: faults.join(','),
      [sharedCgroupVariable]: cgroup,
    };
  }

  async #run(td: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Refused> {
    const main = join(packageRoot(), 'dist/tdctl.js');
    const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore', env });
    this.#underWay.set(td, child);
    const kill = () => child.kill('SIGKILL');
    this.#options.signal.addEventListener('abort', kill);
    const how = await new Promise<string>((resolve) =>
      child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)),
    );
    this.#options.signal.removeEventListener('abort', kill);
    this.#underWay.delete(td);
    return how === 'exit code 0' ? null : commandEnded(args, how);
  }
}

function requestOf({ name, source }: PlayedTd): KeepRequest {
  return {
    ...{ version: 1, name, spec: source.text, specPath: source.path, host: ownHostName },
    ...{ start: true, queue: false, again: true, api: apiRange },
  };
}

async function refusal(work: Promise<unknown>): Promise<Refused> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
}

function commandEnded([verb]: readonly string[], how: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: `tdctl ${verb}`,
    message: `the command ended (${how}) before it could tell what came of it`,
    hint: '`tdctl list` tells',
  });
}
