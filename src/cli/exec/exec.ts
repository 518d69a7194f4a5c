/** `tdctl exec`: a command with a simulated /dev/kvm, and what came of it. */
import { addonRemedy, loadAddon, type SupervisorClass } from '../../../native/index.ts';
import { exitCodes, TdctlError } from '../../errors/index.ts';
import {
  type CallListener,
  type CommandExit,
  type CpuIdentity,
  defaultRunScript,
  execute,
  ResetWatch,
  type RunningCommand,
  readCpuIdentity,
  ScriptedGuest,
  SummaryCollector,
  TraceWriter,
  traceTo,
  withCpuIdentity,
} from '../../exec/index.ts';
import { prepareWholeFile, type WholeFile } from '../../files/index.ts';
import { openSimulatedMachine } from '../../host/simulated/index.ts';
import {
  defaultHostProfile,
  runningHostClock,
  type SimulatedMachine,
} from '../../simulator/index.ts';
import type { TraceFileOptions } from '../../trace/index.ts';
import { standardOutputFile } from '../file-arguments.ts';
import { hostProfile } from '../host-profile.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { dataText, documentOf } from '../output/data.ts';
import { layOut } from '../output/layout.ts';
import { say } from '../output/print.ts';
import { noteUnmet, readSimulation, unmetFaults } from '../run/simulation.ts';
import { endCommand } from './end-command.ts';
import { summaryText } from './summary-text.ts';

export interface ExecOptions {
  readonly command: readonly string[];
  readonly host: string;
  readonly kernel: string;
  readonly run?: string | undefined;
  readonly fault?: readonly string[] | undefined;
  readonly trace?: string | undefined;
  readonly summary?: string | undefined;
  readonly quiet?: true | undefined;
}

/**
 * @returns the command's own exit code as a shell gives it, or 6 where it ended with 0 and an
 * expectation of the script, or a fault that was asked for, was not met.
 * @throws TdctlError for whatever keeps the command from being run under supervision.
 */
export async function exec(options: ExecOptions, io: CommandIo): Promise<number> {
  if (options.trace === standardOutputFile) throw stdoutOfProgram();
  const profileText = simulatedProfile(options.host);
  const supervisor = requireSupervisor();
  const guest = new ScriptedGuest(await runScript(options.run));
  const faults = await readSimulation(options, { fault: options.fault });
  const cpu = readCpuIdentity();
  const profile = await hostProfile(profileText ?? defaultHostProfile);
  const machine = openSimulatedMachine({
    profile: cpu === undefined ? profile : withCpuIdentity(profile, cpu),
    kernelAbi: options.kernel,
    faults,
    guest,
    // The program has clocks of its own to compare with.
    hostClock: runningHostClock(),
  });
  const collector = new SummaryCollector(machine);
  const interrupts = listenForInterrupts();
  let files: OutputFiles | undefined;
  try {
    files = await openOutputs(options, { onFailure: io.losses.add, signal: interrupts.signal });
    const { writer, summaryFile } = files;
    let running: RunningCommand | undefined;
    const nameOf = (handle: number) => running?.nameOf(handle);
    const tracing = writer && traceTo(writer, traceHeader(options, { machine, cpu }), nameOf);
    running = execute({
      command: options.command,
      machine,
      supervisor,
      listener: toAll([
        collector,
        ...(tracing === undefined ? [] : [tracing.listener]),
        ...(options.run === undefined ? [new ResetWatch((pid) => endVmm(pid, options, io))] : []),
      ]),
      hears: tracing === undefined && faults === undefined ? 'needed' : 'all',
    });
    const { exit, failure } = await endCommand(running, interrupts);
    await tracing?.end(exit);
    const summary = await collector.summary(options.command, exit, running.openFiles());
    const expectations = {
      results: guest.results(),
      // Whether the guests of the default script come to their end is nobody's expectation.
      unreached: options.run === undefined ? [] : guest.unreached(),
    };
    if (summaryFile) {
      const text = await dataText(
        documentOf('tdctl.ExecSummary', { ...summary, expectations }),
        'json',
      );
      await summaryFile.put(text).catch(io.losses.add);
    } else if (options.quiet !== true) {
      const text = summaryText(summary, { machine, expectations, colors: io.colors.stderr });
      io.stderr.write(layOut(text, io.widths.stderr));
    }
    if (failure !== undefined) throw failure.error;
    const notMet = await unmetFaults(faults);
    noteUnmet(notMet, io);
    const unmet = notMet.length > 0 || expectations.results.some(({ met }) => !met);
    return exitCode(exit) === 0 && unmet ? exitCodes.findings : exitCode(exit);
  } finally {
    // A trace without an end says that the command's own end is not known.
    await files?.writer?.end();
    files?.summaryFile?.release();
    interrupts.done();
  }
}

interface OutputFiles {
  readonly writer: TraceWriter | undefined;
  readonly summaryFile: WholeFile | undefined;
}

/** Files are opened before the command starts, so that a mistake in a path costs no run. */
async function openOutputs(
  { trace, summary }: ExecOptions,
  told: Omit<TraceFileOptions, 'path'>,
): Promise<OutputFiles> {
  const summaryFile =
    summary === undefined
      ? undefined
      : await prepareWholeFile({ path: summary, what: 'summary', existing: 'replace', ...told });
  try {
    const writer =
      trace === undefined ? undefined : await TraceWriter.open({ path: trace, ...told });
    return { writer, summaryFile };
  } catch (error) {
    summaryFile?.release();
    throw error;
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

function stdoutOfProgram(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'open the trace',
    place: '--trace -',
    message:
      'standard output is that of the command, and a trace in between could not be told apart',
    hint: 'name a file, or a pipe: --trace >(less)',
  });
}

function requireSupervisor(): SupervisorClass {
  const native = loadAddon();
  if (native.available) return native.addon.Supervisor;
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'supervise a command',
    message:
      'the native addon cannot be loaded, and only it can answer the system calls of a program',
    details: native.tried.map(({ path, reason }) => `${path}: ${reason}`),
    hint: addonRemedy(),
  });
}

async function runScript(path: string | undefined) {
  if (path === undefined) return defaultRunScript;
  const { loadRunScript } = await import('../../exec/run-script/load.ts');
  return loadRunScript(path);
}

function traceHeader(
  { command, kernel }: ExecOptions,
  { machine, cpu }: { readonly machine: SimulatedMachine; readonly cpu: CpuIdentity | undefined },
) {
  const traced = cpu && { ...cpu, signature: `0x${cpu.signature.toString(16)}` };
  return { host: `sim:${machine.profile.name}`, kernel, command, ...(traced && { cpu: traced }) };
}

function toAll(listeners: readonly CallListener[]): CallListener {
  return {
    opened: (...call) => {
      for (const listener of listeners) listener.opened(...call);
    },
    called: (call) => {
      for (const listener of listeners) listener.called(call);
    },
    closed: (file) => {
      for (const listener of listeners) listener.closed(file);
    },
    unserved: (...call) => {
      for (const listener of listeners) listener.unserved(...call);
    },
  };
}

/** The guest of the default script was started again after it had asked in every way to be turned off. */
function endVmm(pid: number, { quiet }: ExecOptions, io: CommandIo): void {
  if (!signalProcess(pid) || quiet === true) return;
  say(
    io,
    `tdctl exec: process ${pid} starts its guest again whenever it turns itself off; it was sent SIGTERM (--run gives the guest another script)`,
  );
}

function signalProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

/** The exit code as a shell reports it. */
function exitCode(exit: CommandExit): number {
  return exit.how === 'code' ? exit.status : 128 + exit.status;
}
