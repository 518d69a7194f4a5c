/** `tdctl exec`: a command with a simulated /dev/kvm, and what came of it. */
import { TdctlError } from '../../errors/index.ts';
import {
  commandHeader,
  defaultRunScript,
  type ExecutedCommand,
  everyListener,
  execute,
  machineNames,
  ResetWatch,
  readCpuIdentity,
  ScriptedGuest,
  SummaryCollector,
  traceTo,
  withCpuIdentity,
} from '../../exec/index.ts';
import { openSimulatedMachine } from '../../host/simulated/index.ts';
import { defaultHostProfile, runningHostClock } from '../../simulator/index.ts';
import { hostProfile } from '../host-profile.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { noteUnmet, readSimulation, unmetFaults } from '../run/simulation.ts';
import { endCommand } from './end-command.ts';
import { keptFds } from './kept-fds.ts';
import {
  endVmm,
  exitCodeOf,
  type OutputFiles,
  type OutputOptions,
  openOutputs,
  refuseStandardOutput,
  report,
} from './outputs.ts';
import { requireAddon } from './supervision.ts';

export interface ExecOptions extends OutputOptions {
  readonly command: readonly string[];
  readonly host: string;
  readonly kernel: string;
  /** As given to `--fd`. */
  readonly fd?: readonly string[] | undefined;
  readonly run?: string | undefined;
  readonly fault?: readonly string[] | undefined;
}

/**
 * @returns the command's own exit code as a shell gives it, or 6 where it ended with 0 and an
 * expectation of the script, or a fault that was asked for, was not met.
 * @throws TdctlError for whatever keeps the command from being run under supervision.
 */
export async function exec(options: ExecOptions, io: CommandIo): Promise<number> {
  refuseStandardOutput(options);
  const fds = keptFds(options.fd);
  const profileText = simulatedProfile(options.host);
  const supervisor = requireAddon().Supervisor;
  const guest = new ScriptedGuest(await runScript(options.run));
  const faults = await readSimulation(options, { fault: options.fault });
  const cpu = readCpuIdentity();
  const profile = await hostProfile(profileText ?? defaultHostProfile);
  const machine = openSimulatedMachine({
    profile: cpu === undefined ? profile : withCpuIdentity(profile, cpu),
    kernelAbi: options.kernel,
    faults,
    // The program has clocks of its own to compare with.
    hostClock: runningHostClock(),
  });
  const collector = new SummaryCollector(machine);
  const interrupts = listenForInterrupts();
  let files: OutputFiles | undefined;
  try {
    files = await openOutputs(options, { onFailure: io.losses.add, signal: interrupts.signal });
    const { writer, summaryFile } = files;
    let running: ExecutedCommand | undefined;
    const nameOf = (handle: number) => running?.nameOf(handle);
    const header = commandHeader(options.command, machine, cpu);
    const tracing = writer && traceTo(writer, header, nameOf);
    running = execute({
      command: options.command,
      fds,
      machine,
      supervisor,
      guest,
      listener: everyListener([
        collector,
        ...(tracing === undefined ? [] : [tracing.listener]),
        ...(options.run === undefined ? [new ResetWatch((pid) => endVmm(pid, options, io))] : []),
      ]),
      hears: tracing === undefined && faults === undefined ? 'needed' : 'all',
    });
    const { exit, failure } = await endCommand(running, interrupts);
    tracing?.commandEnded(exit);
    await writer?.end();
    const summary = await collector.summary(options.command, exit, running.openFiles());
    const expectations = {
      results: guest.results(),
      // Whether the guests of the default script come to their end is nobody's expectation.
      unreached: options.run === undefined ? [] : guest.unreached(),
    };
    await report(
      { summary, expectations, machine: machineNames(machine) },
      { options, summaryFile, io },
    );
    if (failure !== undefined) throw failure.error;
    const notMet = await unmetFaults(faults);
    noteUnmet(notMet, io);
    const unmet = notMet.length > 0 || expectations.results.some(({ met }) => !met);
    return exitCodeOf(exit, unmet);
  } finally {
    // A trace without an end says that the command's own end is not known.
    await files?.writer?.end();
    files?.summaryFile?.release();
    interrupts.done();
  }
}

/** @returns what stands after `sim:`. */
function simulatedProfile(host: string): string | undefined {
  if (host === 'sim') return undefined;
  if (host.startsWith('sim:')) return host.slice('sim:'.length);
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a host',
    place: '--host',
    message: `\`tdctl exec\` answers with a simulated host, and \`${host}\` is none`,
    hint: 'use sim, sim:PROFILE or sim:FILE; for a real /dev/kvm, run the command without tdctl',
  });
}

async function runScript(path: string | undefined) {
  if (path === undefined) return defaultRunScript;
  const { loadRunScript } = await import('../../exec/run-script/load.ts');
  return loadRunScript(path);
}
