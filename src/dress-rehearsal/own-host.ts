/**
 * A shared host that is there for one run alone, in a state directory of its own. It ends with the connection that it
 * was started for, so it ends whatever becomes of this process, and with it all that is on it.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeNewPrivateDirectory, removeTree } from '../files/private-directory.ts';
import { socketPath } from '../files/socket-path.ts';
import { type HostOperator, openHostOperator } from '../host/shared/index.ts';
import { attendedVariable, type Disturbance, type HostSeen } from '../keeper/hosts/operations.ts';
import { readHost } from '../keeper/hosts/read-hosts.ts';
import { type ProcessIdentity, thisOrChild } from '../keeper/identity.ts';
import { type LaunchWords, launch } from '../keeper/launch.ts';
import {
  openStateDirectory,
  type StateDirectory,
  stateDirectoryVariable,
} from '../keeper/state-directory.ts';
import { packageRoot } from '../package-root.ts';
import { endProcess } from './processes.ts';

export interface OwnHostOptions {
  /** As `--host` and `--kernel` name it; a file is absolute. */
  readonly machine: string;
  readonly kernel: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** Its name in its state directory, where there is no other. */
const name = 'stage';
export const ownHostName = `on:${name}`;

export class OwnHost {
  readonly state: StateDirectory;
  /** Of whatever is to be on this host. */
  readonly env: NodeJS.ProcessEnv;
  readonly process: ProcessIdentity;
  readonly #operator: HostOperator;
  #isDead = false;

  private constructor(
    state: StateDirectory,
    { env, process, operator }: Pick<OwnHost, 'env' | 'process'> & { operator: HostOperator },
  ) {
    this.state = state;
    this.env = env;
    this.process = process;
    this.#operator = operator;
    operator.ask('attend').catch(() => undefined);
  }

  /** @throws TdctlError where it cannot be had; nothing is left then. */
  static async start(options: OwnHostOptions): Promise<OwnHost> {
    const path = join(tmpdir(), `tdctl-rehearsal-${randomBytes(6).toString('hex')}`);
    makeNewPrivateDirectory(path);
    const env = { ...options.env, [stateDirectoryVariable]: path };
    let started: ReturnType<typeof thisOrChild> | undefined;
    try {
      const command = hostCommand(options);
      await launch(
        { command, input: '', words: launchWords },
        {
          // Whoever kills this process before it attends the host leaves none behind.
          env: { ...env, [attendedVariable]: '1' },
          signal: options.signal,
          onStarted: (pid) => {
            started = thisOrChild(pid);
          },
        },
      );
      const state = await openStateDirectory(env, { create: true });
      const found = readHost(state, name);
      if (found?.record === undefined) throw new Error('the host has told nothing of itself');
      const reached = socketPath(found.files.socket);
      const operator = await openHostOperator(reached.path, ownHostName).finally(reached.release);
      return new OwnHost(state, { env, operator, process: found.record.server });
    } catch (error) {
      // Where nobody waits for it any more, it would go on, and make its directory anew.
      if (started !== undefined) await endProcess(started);
      await removed(path);
      throw error;
    }
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  seen(): Promise<HostSeen> {
    return this.#operator.ask<HostSeen>('snapshot');
  }

  async disturb(disturbance: Disturbance): Promise<void> {
    await this.#operator.ask('disturb', disturbance);
  }

  async addFaults(faults: readonly string[]): Promise<void> {
    if (faults.length > 0) await this.#operator.ask('faults', { faults, clear: false });
  }

  async kill(): Promise<void> {
    this.#isDead = true;
    await endProcess(this.process);
  }

  /** It goes, and its directory with all that was written there. */
  async end(): Promise<void> {
    this.#operator.close();
    await endProcess(this.process);
    await removed(this.state.path);
  }
}

function hostCommand({ machine, kernel }: OwnHostOptions) {
  const main = join(packageRoot(), 'dist/tdctl.js');
  const args = ['host', 'start', name, '--foreground', '--host', machine, '--kernel', kernel];
  return [process.execPath, main, ...args] as const;
}

/** What a process that was just killed has still made may be in the way once. */
async function removed(path: string): Promise<void> {
  try {
    removeTree(path);
  } catch {
    await delay(50);
    removeTree(path);
  }
}

const launchWords: LaunchWords = {
  op: 'start the host of a rehearsal',
  ended: (how) => ({
    message: `the process of the host ended without a word (${how})`,
    hint: '`tdctl rehearse` without --processes needs no such process',
  }),
  stopped: (pid) => ({
    message: `the process of the host, ${pid}, was stopped by a signal (SIGSTOP)`,
    hint: 'play it again',
  }),
  goesOn: { message: 'interrupted; the host of the rehearsal ends', hint: '' },
};
