import { bindingLimit, type limitNames } from '../../machines/td-lifecycle/limits.ts';
import { type HostFacts, vcpuLimits } from '../host/facts.ts';
import { readHostOffer } from '../host/offer.ts';
import type { Host } from '../host/port.ts';
import type { CommandIo } from './io.ts';
import { type HostChoice, openHost } from './open-host.ts';
import type { OutputFormat } from './options.ts';
import { printData } from './output/data.ts';
import { paint } from './output/paint.ts';
import { type SlotReport, slotText } from './output/slots.ts';
import { columns } from './output/table.ts';
import { count } from './output/units.ts';

export async function showHost(
  options: HostChoice & { readonly output: OutputFormat },
  io: CommandIo,
): Promise<void> {
  const host = await openHost(options, io);
  try {
    const report = await readHost(host);
    await printData(report, { io, format: options.output, text: () => hostText(report, io) });
  } finally {
    await host.close();
  }
}

async function readHost(host: Host) {
  const offer = await readHostOffer(host);
  const { facts } = offer;
  const limits = vcpuLimits(offer);
  const { name, value } = bindingLimit(limits);
  return {
    host: facts.name,
    kind: facts.kind,
    vcpuLimits: { ...limits, effective: value, binding: name, maxVcpuIds: facts.kvm.maxVcpuIds },
    keySlots: await readSlots(host, facts),
    kernel: facts.kernel,
    module: facts.module ?? null,
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
  const slots = await host.keySlots();
  if (slots === undefined) return null;
  const counts = { ...slots, free: slots.total - slots.used };
  if (facts.kind !== 'kvm') return { ...counts, holders: null, leakEvidence: [] };
  const { readSlotLedger } = await import('../diagnosis/doctor/ledger.ts');
  const { holders = null, leakEvidence = [] } = readSlotLedger() ?? {};
  return { ...counts, holders, leakEvidence };
}

function hostText(report: HostReport, io: CommandIo): string {
  const { bold, dim } = paint(io.colors.stdout);
  const { vcpuLimits: limits, keySlots, kernel, module, platform } = report;
  const number = (value: number | string | null | undefined) => String(value ?? 'not known');
  const mark = (name: keyof typeof limitNames) => (name === limits.binding ? '<- binds' : '');
  const cpus = `${platform.onlineCpus} of ${platform.presentCpus} CPUs online`;
  return [
    `${bold(report.host)}  ${dim(`KVM rules: ${kernel.rules}`)}\n`,
    '\nvCPUs of one TD\n',
    columns([
      ['TDX module, max_vcpus_per_td', number(limits.module), mark('module')],
      ['CPUs present', number(limits.presentCpus ?? 'no limit here'), mark('presentCpus')],
      ['KVM_MAX_VCPUS', number(limits.kvm), mark('kvm')],
      ['KVM_CAP_MAX_VCPUS of a TD', number(limits.perVm), mark('perVm')],
      ['effective', bold(number(limits.effective)), ''],
    ]),
    '\nKey slots\n',
    slotText(keySlots, io.colors.stdout),
    '\nVersions and platform\n',
    columns([
      ['TDX module', module?.release ?? 'not known'],
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
