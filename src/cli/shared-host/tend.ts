/** `tdctl host list`, `show`, `stop`, `fault` and `trace`. */
import { setTimeout as delay } from 'node:timers/promises';
import { roundedBytes } from '../../documents/quantity.ts';
import { TdctlError } from '../../errors/index.ts';
import { sharedHost } from '../../host/identity.ts';
import { readLine } from '../../keeper/admission/line.ts';
import { waitingInWords } from '../../keeper/admission/refusals.ts';
import type { Ticket } from '../../keeper/admission/tickets.ts';
import { ownHost } from '../../keeper/hosts/host-directory.ts';
import { type FoundHost, hostStates, readHosts } from '../../keeper/hosts/read-hosts.ts';
import { presenceOf, vantage } from '../../keeper/presence.ts';
import { openStateDirectory, type StateDirectory } from '../../keeper/state-directory.ts';
import { durationOf } from '../duration.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { keySlotsData } from '../output/host-parts.ts';
import { paint } from '../output/paint.ts';
import { say } from '../output/print.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import type { FaultsAsked, HostStatus, StopAsked } from './machine.ts';
import { findHost, operateHost } from './reach.ts';

/** One that does not answer by then is listed without what only it knows. */
const listDeadlineMs = 3000;

interface Listed {
  readonly found: FoundHost;
  readonly status: HostStatus | undefined;
  /** For a key slot. Undefined where that cannot be read. */
  readonly waiting: readonly Ticket[] | undefined;
}

export async function listHosts(
  { output }: { readonly output: OutputFormat },
  io: CommandIo,
): Promise<void> {
  const state = await openStateDirectory(io.env, { create: false });
  const hosts = await Promise.all(
    readHosts(state).map(async (found) => ({
      ...{ found, status: await statusInTime(found, io) },
      waiting: await whoWaits(state, found.name),
    })),
  );
  await printData(
    'tdctl.SharedHosts',
    { hosts: hosts.map(hostData) },
    { io, format: output, text: () => listText(hosts, io) },
  );
}

async function statusInTime(found: FoundHost, io: CommandIo): Promise<HostStatus | undefined> {
  if (found.state !== 'serving') return undefined;
  const asking = askStatus(found.name, io);
  const late = delay(listDeadlineMs, undefined, { ref: false });
  return await Promise.race([asking.catch(() => undefined), late]);
}

async function whoWaits(
  state: StateDirectory,
  name: string,
): Promise<readonly Ticket[] | undefined> {
  return await readLine(state, sharedHost(name)).catch(() => undefined);
}

async function askStatus(name: string, io: CommandIo): Promise<HostStatus> {
  const operator = await operateHost(name, io.env);
  try {
    return await operator.ask<HostStatus>('status');
  } finally {
    operator.close();
  }
}

function hostData({ found, status, waiting }: Listed) {
  const { name, state, record } = found;
  return {
    name,
    state,
    machine: record?.machine ?? null,
    kernel: record === undefined ? null : { id: record.kernel },
    server:
      record === undefined
        ? null
        : {
            pid: record.server.pid,
            tdctl: record.server.tdctl,
            startedAt: record.server.startedAt,
          },
    keySlots: keySlotsData(status?.keySlots),
    waiting: waiting?.map(({ td, pid, isStopped }) => ({ td, pid, isStopped })) ?? null,
    vmCount: status?.vms ?? null,
    programs: status === undefined ? null : status.programs.map(programData),
    faultsToCome: status === undefined ? null : [...status.faultsToCome],
  };
}

function programData(program: HostStatus['programs'][number]) {
  const { process, cgroup, pid = null, uid = null, tdctl = null, command = null } = program;
  const { joinedAt, calls } = program;
  return { process, cgroup, pid, uid, tdctl, command, joinedAt, calls };
}

function listText(hosts: readonly Listed[], io: CommandIo): string {
  if (hosts.length === 0) {
    say(io, 'there are no shared hosts: `tdctl host start NAME` starts one');
    return '';
  }
  const { dim } = paint(io.colors.stdout);
  const head = ['NAME', 'STATE', 'KEY SLOTS', 'PROGRAMS', 'MACHINE', 'KERNEL'].map(dim);
  const rows = hosts.map(({ found: { name, state, record }, status }) => [
    name,
    state,
    slotsText(status),
    status === undefined ? '-' : String(status.programs.length),
    record?.machine ?? '-',
    record?.kernel ?? '-',
  ]);
  return columns([head, ...rows], '');
}

function slotsText(status: HostStatus | undefined): string {
  return status === undefined ? '-' : `${status.keySlots.used} of ${status.keySlots.total} in use`;
}

export async function showSharedHost(
  { name, output }: { readonly name: string; readonly output: OutputFormat },
  io: CommandIo,
): Promise<void> {
  const shown = await look(name, io);
  await printData('tdctl.SharedHost', hostData(shown), {
    io,
    format: output,
    text: () => showText(shown, io),
  });
}

/** One that does not answer is looked at again: a signal may have stopped or killed it meanwhile. */
async function look(name: string, io: CommandIo): Promise<Listed> {
  const found = await findHost(name, io.env);
  const state = await openStateDirectory(io.env, { create: false });
  const waiting = await whoWaits(state, name);
  if (found.state !== 'serving') return { found, status: undefined, waiting };
  try {
    return { found, status: await askStatus(name, io), waiting };
  } catch (error) {
    const again = await findHost(name, io.env);
    if (again.state === 'serving') throw error;
    return { found: again, status: undefined, waiting };
  }
}

function showText({ found, status, waiting = [] }: Listed, io: CommandIo): string {
  const { name, state, record, files } = found;
  const { bold, dim } = paint(io.colors.stdout);
  const about = [
    ...(record === undefined
      ? []
      : [
          ['machine', record.machine],
          ['kernel', record.kernel],
          ['process', `${record.server.pid}, tdctl ${record.server.tdctl}`],
          ['since', record.server.startedAt],
        ]),
    ['directory', files.directory],
    ...(status === undefined
      ? []
      : [
          ['key slots', slotsText(status)],
          ['VMs', String(status.vms)],
          ['memory', `${roundedBytes(status.availableBytes)} available`],
        ]),
  ];
  const programs = status?.programs ?? [];
  const head = ['PROGRAM', 'PID', 'UID', 'CGROUP', 'CALLS', 'SINCE', 'COMMAND'].map(dim);
  const rows = programs.map(({ process, pid, uid, cgroup, calls, joinedAt, command }) => [
    String(process),
    String(pid ?? '-'),
    String(uid ?? '-'),
    cgroup,
    String(calls),
    joinedAt,
    commandText(command),
  ]);
  return [
    `${bold(name)}  ${state}: ${hostStates[state]}\n`,
    columns(about),
    ...(programs.length === 0 ? [] : ['\n', columns([head, ...rows])]),
    ...(waiting.length === 0 ? [] : ['\nfor a key slot\n', columns(waitingRows(waiting))]),
    ...(status?.faultsToCome ?? []).map((fault) => `\nfault to come: ${fault}\n`),
  ].join('');
}

function waitingRows(waiting: readonly Ticket[]): string[][] {
  return waitingInWords(waiting).map((words) => [sanitize(words)]);
}

/** One that has joined by itself is a tdctl. */
function commandText(command: readonly string[] | undefined): string {
  return command === undefined ? 'tdctl' : sanitize(command.join(' ')).slice(0, 60);
}

export async function stopHost(
  { name, now }: { readonly name: string; readonly now?: boolean | undefined },
  io: CommandIo,
): Promise<void> {
  const found = await findHost(name, io.env);
  if (found.state !== 'lost') {
    const operator = await operateHost(name, io.env);
    try {
      const asked: StopAsked = { now: now === true };
      await operator.ask('stop', asked).catch((error: unknown) => {
        // Its last word may overtake the answer.
        if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_HOST_GONE') throw error;
      });
    } finally {
      operator.close();
    }
  }
  await removed(name, io);
  // It still removes what is in the directory, which has no name any more.
  while (isThere(found)) await delay(20);
  say(io, `${name} is stopped`);
}

function isThere({ record }: FoundHost): boolean {
  return record !== undefined && presenceOf(record.server, vantage()) === 'lives';
}

/** Waits until the host's own process has removed its directory, or removes that of one that was killed. */
async function removed(name: string, io: CommandIo): Promise<void> {
  const state = await openStateDirectory(io.env, { create: false });
  for (;;) {
    try {
      const owned = await ownHost(state, name, { create: false });
      owned?.remove();
      if (owned !== undefined) return;
    } catch (error) {
      if (error instanceof TdctlError && error.code === 'TDCTL_E_NOT_FOUND') return;
      throw error;
    }
    await delay(20);
  }
}

export async function addFaults(
  { name, faults, clear }: FaultsAsked & { readonly name: string },
  io: CommandIo,
): Promise<void> {
  const operator = await operateHost(name, io.env);
  try {
    const asked: FaultsAsked = { faults, clear };
    const toCome = await operator.ask<readonly string[]>('faults', asked);
    const all = toCome.length === 0 ? 'no fault is to come' : `to come: ${toCome.join(', ')}`;
    say(io, `${name}: ${all}`);
  } finally {
    operator.close();
  }
}

export interface TraceOptions {
  readonly name: string;
  readonly format: 'text' | 'json';
  /** As given to `--for`. */
  readonly for?: string | undefined;
}

export async function traceHost(options: TraceOptions, io: CommandIo): Promise<void> {
  const { name, format } = options;
  const forMs = durationOf(options.for, '--for');
  const interrupts = listenForInterrupts();
  const operator = await operateHost(name, io.env);
  const signals = forMs === undefined ? [] : [AbortSignal.timeout(forMs)];
  const signal = AbortSignal.any([interrupts.signal, ...signals]);
  try {
    await operator.ask(
      'trace',
      { json: format === 'json' },
      { signal, onTold: (line) => io.stdout.write(`${line}\n`) },
    );
  } catch (error) {
    // A host that ends has nothing more to tell.
    if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_HOST_GONE') throw error;
    say(io, error.message);
  } finally {
    operator.close();
    interrupts.done();
  }
}
