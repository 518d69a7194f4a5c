/** `tdctl host start`. */
import { join, resolve } from 'node:path';
import { standardStream } from '../../documents/path-in-words.ts';
import { TdctlError } from '../../errors/index.ts';
import { type LaunchWords, launch } from '../../keeper/launch.ts';
import { checkTdName } from '../../keeper/td-files.ts';
import { packageRoot } from '../../package-root.ts';
import { defaultHostProfile, defaultKernelAbi } from '../../simulator/index.ts';
import { isHostFile } from '../host-file.ts';
import { hostProfile } from '../host-profile.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { say } from '../output/print.ts';
import { profileText } from './machine.ts';

export interface StartOptions {
  readonly name: string;
  readonly host: string;
  readonly kernel?: string | undefined;
  readonly foreground?: boolean | undefined;
}

const op = 'start a shared host';

export async function startHost(options: StartOptions, io: CommandIo): Promise<void> {
  const { name, foreground } = options;
  checkTdName(name, 'shared host');
  const machine = machineNamed(options.host);
  const { kernel = defaultKernelAbi } = options;
  if (foreground === true) {
    const { serveHost } = await import('./serve.ts');
    const hasTerminal = io.env.TDCTL_PROGRESS_FD === undefined;
    const onServing = () => {
      if (hasTerminal) say(io, `${name} is there: tdctl run … --host on:${name}; Ctrl-C ends it`);
    };
    await serveHost({ name, machine, kernel, env: io.env, onServing, hasTerminal });
    return;
  }
  await mustBeSimulated(machine, kernel);
  const interrupts = listenForInterrupts();
  try {
    const { pid } = await launch(
      { command: command(name, machine, kernel), input: '', words: wordsFor(name) },
      { env: io.env, signal: interrupts.signal },
    );
    io.stdout.write(`${name}\n`);
    say(io, `${name} is there, process ${pid}: tdctl run … --host on:${name}`);
  } finally {
    interrupts.done();
  }
}

/** What is wrong with the names is told here, and not by a process that ends. */
async function mustBeSimulated(machine: string, kernel: string): Promise<void> {
  const { openSimulatedMachine } = await import('../../host/simulated/index.ts');
  openSimulatedMachine({ profile: await hostProfile(profileText(machine)), kernelAbi: kernel });
}

function command(name: string, machine: string, kernel: string) {
  const main = join(packageRoot(), 'dist/tdctl.js');
  const args = ['host', 'start', name, '--foreground', '--host', machine, '--kernel', kernel];
  return [process.execPath, main, ...args] as const;
}

/** A file may be named by itself. @throws TdctlError TDCTL_E_USAGE for a host that is not simulated as a whole. */
function machineNamed(host: string): string {
  if (host === 'sim' || host === 'auto') return `sim:${defaultHostProfile}`;
  const profile = host.startsWith('sim:') ? profileText(host) : host;
  if (profile === standardStream) {
    throw wrong(host, 'the process that serves it cannot read this standard input', 'name a file');
  }
  if (isHostFile(profile)) return `sim:${resolve(profile)}`;
  if (host.startsWith('sim:')) return host;
  throw wrong(
    host,
    `a shared host is simulated as a whole, and \`${host}\` is not`,
    'use sim, sim:PROFILE, sim:FILE or FILE',
  );
}

function wrong(host: string, message: string, hint: string): TdctlError {
  return new TdctlError({ code: 'TDCTL_E_USAGE', op, place: `--host ${host}`, message, hint });
}

function wordsFor(name: string): LaunchWords {
  return {
    op,
    ended: (how) => ({
      message: `the process of the shared host ${name} ended without a word (${how})`,
      hint: `\`tdctl host start ${name} --foreground\` shows what it says`,
    }),
    stopped: (pid) => ({
      message: `the process of the shared host ${name}, ${pid}, was stopped by a signal (SIGSTOP)`,
      hint: `\`kill -CONT ${pid}\` lets it go on`,
    }),
    goesOn: {
      message: `interrupted; the shared host ${name} goes on`,
      hint: `\`tdctl host stop ${name}\` ends it`,
    },
  };
}
