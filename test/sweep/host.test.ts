/**
 * The process of a shared host, whoever stops it or makes it fail, and a program that joins it: each call to the system
 * that touches the state directory fails once, or is the last one of its process. Whatever comes of it is told, the
 * machine has its slots back, and the name can be had again. All of it: `npm run sweep`. Otherwise a sample, the same in
 * every run.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { projectRoot } from '../support/built.ts';
import { endAll, hasEnded, processesWith, until } from '../support/processes.ts';
import { tdctl } from '../support/tdctl.ts';
import { faultsOf } from './cases.ts';
import { type Call, type Ended, type Fault, runInterposed, whyNotInterposed } from './interpose.ts';

const isFull = process.env.TDCTL_SWEEP === 'full';
const sampled = 3;
const missing = whyNotInterposed();
const name = 'lab';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'tdctl-host-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Swept {
  readonly what: string;
  readonly args: readonly string[];
  /** It is the host, and serves until it is stopped. */
  readonly serves?: true;
}

const swept: readonly Swept[] = [
  {
    what: 'host start',
    args: ['host', 'start', name, '--foreground', '--host', 'sim:one-slot'],
    serves: true,
  },
  { what: 'host stop', args: ['host', 'stop', name, '--now'] },
  { what: 'host fault', args: ['host', 'fault', name, 'KVM_CREATE_VCPU#90=ENOMEM'] },
  { what: 'run', args: ['run', 'hello.yaml', '--host', `on:${name}`, '--until', 'runnable'] },
];

/** A state directory, and what is done in it. */
class Scene {
  readonly directory = mkdtempSync(join(root, 'scene-'));
  readonly state = join(this.directory, 'state');
  readonly #env = { TDCTL_STATE_DIR: this.state };

  constructor() {
    for (const each of ['work', 'stdout', 'stderr']) mkdirSync(join(this.directory, each));
    for (const input of ['hello.yaml', 'firmware']) {
      const from = join(projectRoot, 'examples', input);
      cpSync(from, join(this.directory, 'work', input), { recursive: true });
    }
  }

  async play({ args, serves }: Swept, fault?: Fault & { readonly at: number }): Promise<Ended> {
    if (serves !== true) await this.done(['host', 'start', name, '--host', 'sim:one-slot']);
    const ended = runInterposed({
      ...{ directory: this.directory, args, env: this.#env },
      ...(fault !== undefined && { fault }),
    });
    if (serves !== true) return await ended;
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    // The record is written once it serves.
    await until(() => isOver || this.#record !== undefined);
    if (!isOver) await this.tdctl(['host', 'stop', name, '--now']);
    return await ended;
  }

  get #record(): string | undefined {
    const path = join(this.state, 'host', name, 'host.json');
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  get said(): string {
    return readFileSync(join(this.directory, 'stderr/text'), 'utf8');
  }

  tdctl(args: readonly string[]) {
    return tdctl([...args], { env: { ...process.env, ...this.#env } });
  }

  async done(args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.tdctl(args);
    expect([exitCode, args, stderr]).toEqual([0, args, stderr]);
    return stdout;
  }

  /** What is wrong with what is left. */
  async problems(ended: Ended, { action }: Fault): Promise<string[]> {
    const found: string[] = [];
    const { exitCode, signal } = ended;
    // Where the disk is full for standard error too, nothing can be told.
    const isMute = action === 'everywhere' && exitCode === 1;
    const isTold =
      exitCode === 0 || signal === 'SIGKILL' || isMute || /TDCTL_E_[A-Z_]+/.test(this.said);
    if (!isTold) found.push(`ended with ${exitCode ?? signal} and told: ${this.said}`);
    if (/TDCTL_E_INTERNAL/.test(this.said)) found.push(`a defect: ${this.said}`);
    const { hosts } = JSON.parse(await this.done(['host', 'list', '-o', 'json']));
    for (const { state, keySlots, programs } of hosts) {
      if (state !== 'serving') continue;
      if (keySlots?.used !== 0 || programs?.length !== 0) {
        found.push(`the host has ${keySlots?.used} slots in use, by ${programs?.length} programs`);
      }
    }
    if (hosts.length > 0) await this.done(['host', 'stop', name]);
    await this.done(['host', 'start', name, '--host', 'sim:one-slot']);
    await this.done(['host', 'stop', name]);
    const left = readdirSync(join(this.state, 'host'));
    if (left.length > 0) found.push(`left in host/: ${left.join(', ')}`);
    return found;
  }

  async end(): Promise<void> {
    const left = processesWith(`TDCTL_STATE_DIR=${this.state}`);
    endAll(left);
    await until(() => left.every(hasEnded));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

interface Trial {
  readonly call: Call;
  readonly fault: Fault & { readonly at: number };
}

function trialsOf(calls: readonly Call[], what: string): Trial[] {
  const all = calls.flatMap((call, index) =>
    call.path.startsWith('state')
      ? faultsOf[call.kind].map((fault): Trial => ({ call, fault: { ...fault, at: index + 1 } }))
      : [],
  );
  if (isFull) return all;
  const random = new Random(what);
  return all.length === 0 ? [] : Array.from({ length: sampled }, () => random.pick(all));
}

async function within<Result>(work: (scene: Scene) => Promise<Result>): Promise<Result> {
  const scene = new Scene();
  try {
    return await work(scene);
  } finally {
    await scene.end();
  }
}

test.for(swept)(
  'whatever call of `tdctl $what` fails, or is the last, it is told and the host can be had again',
  { timeout: isFull ? 24 * 3_600_000 : 600_000 },
  async (about, context) => {
    if (missing !== undefined) context.skip(missing);
    const calls = await within(async (scene) => {
      const ended = await scene.play(about);
      expect([ended.exitCode, scene.said]).toEqual([0, scene.said]);
      return ended.calls;
    });
    const found: string[] = [];
    for (const { call, fault } of trialsOf(calls, about.what)) {
      await within(async (scene) => {
        const problems = await scene.problems(await scene.play(about, fault), fault);
        const { action, errno = '', at } = fault;
        const where = `${action} ${errno} at call ${at}, ${call.kind} ${call.path}`;
        found.push(...problems.map((problem) => `${where}: ${problem}`));
      });
    }
    expect(found).toEqual([]);
  },
);
