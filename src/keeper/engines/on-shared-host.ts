/** QEMU on a shared host: its system calls go there, and all else of it is here. */
import { constants } from 'node:os';
import type { StartProgram, VmmExit } from '../../vmm/run/index.ts';
import { type ProgramEnd, startOnSharedHost } from '../hosts/start-program.ts';

/** @param name of the shared host */
export function startsOnSharedHost(name: string, env: NodeJS.ProcessEnv): StartProgram {
  return async ({ command, cwd, fds }) => {
    const { pid, stdin, exited } = await startOnSharedHost(name, { command, env, cwd, fds });
    if (stdin === null) throw new Error('a pipe was asked for');
    return { pid, stdin, ended: exited.then(asExit) };
  };
}

const signalBase = 128;

function asExit({ exitCode }: ProgramEnd): VmmExit {
  const numbers = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const signal = numbers.find(([, number]) => number === exitCode - signalBase)?.[0];
  return signal === undefined ? { code: exitCode, signal: null } : { code: null, signal };
}
