/** Keepers as real processes, each with a TD on a simulated host. They end with the file (support/state-directory.ts). */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { readJournal } from '../../src/keeper/journal/index.ts';
import { keeperCommand, type LaunchOptions, launchKeeper } from '../../src/keeper/launch.ts';
import { presenceOf, vantage } from '../../src/keeper/presence.ts';
import type { KeepRequest } from '../../src/keeper/request.ts';
import { openStateDirectory } from '../../src/keeper/state-directory.ts';
import type { StatusFile } from '../../src/keeper/status.ts';
import { type TdFiles, tdFiles } from '../../src/keeper/td-files.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { until } from '../support/processes.ts';

export const specPath = `${projectRoot}/examples/hello.yaml`;

export function asked(name: string, changes: Partial<KeepRequest> = {}): KeepRequest {
  return {
    version: 1,
    name,
    spec: readFileSync(specPath, 'utf8'),
    specPath,
    host: 'sim',
    start: false,
    queue: false,
    again: false,
    api: { oldest: 1, newest: 1 },
    ...changes,
  };
}

interface Launching extends Partial<LaunchOptions> {
  /** TDCTL_KEEPER_FAULT of the keeper. */
  readonly fault?: string;
}

export async function launch(
  request: KeepRequest,
  { fault, ...options }: Launching = {},
): Promise<number> {
  builtMain();
  const env = { ...process.env, ...(fault !== undefined && { TDCTL_KEEPER_FAULT: fault }) };
  const { pid } = await launchKeeper(request, { env, ...options });
  return pid;
}

/** A keeper without anybody who follows it: `told` are its progress lines, once it tells no more. */
export function spawnKeeper(
  request: KeepRequest,
  { fault = '', program = join(projectRoot, 'dist/keeper.js') } = {},
) {
  builtMain();
  const [node, ...args] = keeperCommand(request.name, program);
  const child = spawn(node, args, {
    cwd: '/',
    env: { ...process.env, TDCTL_PROGRESS_FD: '3', TDCTL_KEEPER_FAULT: fault },
    stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
  });
  const pid = child.pid ?? 0;
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  child.stdin?.end(JSON.stringify(request));
  return { pid, ended, told: textOf(child.stdio[3] as Readable) };
}

async function textOf(pipe: Readable): Promise<string> {
  let text = '';
  for await (const part of pipe) text += part;
  return text;
}

export const filesOf = async (name: string): Promise<TdFiles> =>
  tdFiles(await openStateDirectory(process.env, { create: true }), name);

export async function statusOf(name: string): Promise<StatusFile> {
  return JSON.parse(readFileSync((await filesOf(name)).status, 'utf8'));
}

export async function recordsOf(name: string) {
  return readJournal((await filesOf(name)).journal).records;
}

/** Its keeper is gone, with all of its threads. */
export async function isOver(name: string): Promise<void> {
  const { keeper } = await statusOf(name);
  await until(() => ['gone', 'recycled'].includes(presenceOf(keeper, vantage())));
}

/** @param onTaken is called once the kernel has the question, which a keeper that stands still finds when it goes on. */
export async function http(
  name: string,
  method: 'GET' | 'POST',
  path: string,
  onTaken?: () => void,
) {
  const { socket } = await filesOf(name);
  return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    const sent = httpRequest({ socketPath: socket, method, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }),
      );
    });
    sent.on('error', reject);
    sent.end(onTaken);
  });
}
