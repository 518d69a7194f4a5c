/** `tdctl footprint`: what VMs cost a host for their number of vCPUs, design by design. */
import { TdctlError } from '../../errors/index.ts';
import { writeWholeFile } from '../../files/index.ts';
import { compareDesigns, type Fleet } from '../../plan/fleet/index.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { say } from '../output/print.ts';
import { type FleetOptions, fleetFromOptions } from './fleet-from-options.ts';
import { footprintData } from './footprint-data.ts';
import { footprintText } from './footprint-text.ts';
import { type HostMemoryOptions, pamtOfOptions } from './host-memory.ts';

export interface FootprintOptions extends FleetOptions, HostMemoryOptions {
  readonly fleet?: string | undefined;
  readonly chart?: string | undefined;
  readonly output: OutputFormat;
}

export async function showFootprint(options: FootprintOptions, io: CommandIo): Promise<void> {
  const fleet = await fleetOf(options);
  const tables = compareDesigns(fleet);
  const pamt = pamtOfOptions(options);
  if (options.chart !== undefined) await writeChart(options.chart, fleet, io);
  await printData('tdctl.Footprint', footprintData(fleet, tables, pamt), {
    io,
    format: options.output,
    text: () => footprintText(fleet, { tables, pamt, colors: io.colors.stdout }),
  });
}

async function fleetOf({ fleet, ...options }: FootprintOptions): Promise<Fleet> {
  if (fleet === undefined) return fleetFromOptions(options);
  const { vcpus, maxVcpus, maxVcpuId, vms, type, kvmMaxVcpus } = options;
  if ([vcpus, maxVcpus, maxVcpuId, vms, type, kvmMaxVcpus].some((given) => given !== undefined)) {
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op: 'compare footprints',
      place: '--fleet',
      message: 'a fleet file says everything about its VMs, so no other option may',
      hint: 'leave out --fleet, or the options about a single VM',
    });
  }
  const { loadFleet } = await import('../../plan/fleet/fleet-file.ts');
  return loadFleet(fleet);
}

async function writeChart(file: string, fleet: Fleet, io: CommandIo): Promise<void> {
  const { chartSvg } = await import('./chart.ts');
  await writeWholeFile({ path: file, what: 'chart', existing: 'replace' }, chartSvg(fleet));
  say(io, `wrote ${file}`);
}
