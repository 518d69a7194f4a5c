import type { limitNames } from '../../machines/td-lifecycle/limits.ts';
import { roundedBytes } from '../documents/quantity.ts';
import { type ExitCode, exitCodes } from '../errors/index.ts';
import type { HostFacts, HostMemoryFacts } from '../host/facts.ts';
import { hostIdentity, kindInWords } from '../host/identity.ts';
import { type HostOffer, readHostOffer } from '../host/offer.ts';
import type { Host } from '../host/port.ts';
import { keptForPamt } from '../plan/judge/memory.ts';
import type { CommandIo } from './io.ts';
import { type HostChoice, openHost } from './open-host.ts';
import type { OutputFormat } from './options.ts';
import { printData } from './output/data.ts';
import { kernelData, keySlotsData, limitsData, moduleData } from './output/host-parts.ts';
import { ledgerText } from './output/ledger.ts';
import { paint } from './output/paint.ts';
import { type SlotReport, slotText } from './output/slots.ts';
import { columns } from './output/table.ts';
import { count } from './output/units.ts';

export interface HostCommandOptions extends HostChoice {
  /** A file of TDs for which there may be room. */
  readonly room?: string | undefined;
  readonly output: OutputFormat;
}

/** Gives 6 where there is no room for what was asked. */
export async function showHost(options: HostCommandOptions, io: CommandIo): Promise<ExitCode> {
  const askRoom =
    options.room === undefined
      ? undefined
      : await (await import('./room/show-room.ts')).roomAsked(options.room, options, io);
  const host = await openHost(options, io);
  try {
    const offer = await readHostOffer(host);
    const report = await readHost(host, offer, io);
    const room = await askRoom?.(host, offer);
    await printData(
      'tdctl.Host',
      { ...report, ...(room && { room: room.data }) },
      {
        io,
        format: options.output,
        text: () => hostText(report, io) + (room?.text ?? ''),
      },
    );
    return room?.data.isEnough === false ? exitCodes.findings : exitCodes.ok;
  } finally {
    await host.close();
  }
}

async function readHost(host: Host, offer: HostOffer, io: CommandIo) {
  const { facts } = offer;
  const { rules: _, ...rules } = facts.kernel;
  const module = moduleData(facts);
  return {
    host: hostIdentity(facts),
    backend: facts.kind,
    limits: limitsData(offer),
    keySlots: await readSlots(host, facts),
    ledger: await readLedger(host, facts, io),
    memory: memoryData(await host.memory()),
    kernel: { ...kernelData(facts), ...rules },
    module: module && { ...module, maxVcpusPerTd: facts.module?.maxVcpusPerTd ?? null },
    platform: {
      ...facts.platform,
      packages: facts.platform.packages ?? null,
      tscKhz: facts.platform.tscKhz ?? null,
    },
  };
}

type HostReport = Awaited<ReturnType<typeof readHost>>;

/** Only a real host tells who holds slots: a simulated one has no cgroups of its own. */
async function readSlots(host: Host, facts: HostFacts): Promise<SlotReport | null> {
  const slots = keySlotsData(await host.keySlots());
  if (slots === null) return null;
  const cgroupRoom = (await host.cgroupRoom()) ?? null;
  const counts = { ...slots, cgroupRoom };
  if (facts.kind !== 'kvm') return { ...counts, holders: null, leakEvidence: [] };
  const { readSlotLedger } = await import('../diagnosis/doctor/ledger.ts');
  const { holders = null, leakEvidence = [] } = readSlotLedger() ?? {};
  return { ...counts, holders, leakEvidence };
}

/** Null where the kept TDs cannot be read: what the host itself tells does not depend on them. */
async function readLedger(host: Host, facts: HostFacts, { env }: CommandIo) {
  const { keptSlotLedger } = await import('./kept/slot-ledger.ts');
  return await keptSlotLedger(host, facts, env);
}

function memoryData(memory: HostMemoryFacts) {
  const { totalBytes, availableBytes, pamt, cgroupBytes } = memory;
  const number = (bytes: bigint | undefined) => (bytes === undefined ? null : Number(bytes));
  return {
    totalBytes: Number(totalBytes),
    availableBytes: number(availableBytes),
    pamtMode: pamt,
    pamtBytes: Number(keptForPamt(memory)),
    cgroupRoomBytes: number(cgroupBytes),
  };
}

function memoryRows(memory: ReturnType<typeof memoryData>): string[][] {
  const { totalBytes, availableBytes, pamtMode, pamtBytes, cgroupRoomBytes } = memory;
  const bytes = (value: number | null) => (value === null ? 'not known' : roundedBytes(value));
  return [
    ['total', bytes(totalBytes)],
    [`PAMT, ${pamtMode}`, bytes(pamtBytes)],
    ['available', bytes(availableBytes)],
    ...(cgroupRoomBytes === null
      ? []
      : [['memory.max of this cgroup leaves', bytes(cgroupRoomBytes)]]),
  ];
}

function hostText(report: HostReport, io: CommandIo): string {
  const { bold, dim } = paint(io.colors.stdout);
  const { limits, keySlots, memory, kernel, module, platform } = report;
  const number = (value: number | string | null | undefined) => String(value ?? 'not known');
  const mark = (name: keyof typeof limitNames) => (name === limits.binding ? '<- binds' : '');
  const cpus = `${platform.onlineCpus} of ${platform.presentCpus} CPUs online`;
  return [
    `${bold(report.host.name)}, ${kindInWords(report.host)}  ${dim(`KVM rules: ${kernel.id}`)}\n`,
    '\nvCPUs of one TD\n',
    columns([
      ['TDX module, max_vcpus_per_td', number(limits.module), mark('module')],
      ['CPUs present', number(limits.presentCpus ?? 'no limit here'), mark('presentCpus')],
      ['KVM_MAX_VCPUS', number(limits.kvm), mark('kvm')],
      ['KVM_CAP_MAX_VCPUS of a TD', number(limits.perVm), mark('perVm')],
      ['effective', bold(number(limits.effective)), ''],
      ['KVM_MAX_VCPU_IDS, of the ids', number(limits.maxVcpuIds), ''],
    ]),
    '\nKey slots\n',
    slotText(keySlots, io.colors.stdout),
    ledgerText(report.ledger, io.colors.stdout),
    '\nMemory\n',
    columns(memoryRows(memory)),
    '\nVersions and platform\n',
    columns([
      ['TDX module', module?.version ?? 'not known'],
      ['KVM API', String(kernel.apiVersion)],
      ['KVM_CAP_MAX_VCPUS may be set', kernel.hasMaxVcpusCap ? 'yes' : 'no'],
      ['KVM_TDX_TERMINATE_VM', kernel.hasTerminateVm ? 'yes' : 'no'],
      [
        'CPUs',
        `${cpus}, ${platform.packages === null ? 'packages not known' : count(platform.packages, 'package')}`,
      ],
      ['guest address bits', platform.guestAddressWidths.join(' or ')],
      ['TSC', platform.tscKhz === null ? 'not known' : `${platform.tscKhz / 1000} MHz`],
    ]),
  ].join('');
}
