/** `tdctl plan`: everything that a run would decide and meet, without the run. */
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { loadFirmware } from '../../firmware/index.ts';
import { readHostOffer } from '../../host/offer.ts';
import type { Host } from '../../host/port.ts';
import { assessTd } from '../../plan/index.ts';
import { savePlan } from '../../plan/plan-file.ts';
import { loadTrustDomain } from '../../spec/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import type { CommandIo } from '../io.ts';
import { type HostChoice, openHost } from '../open-host.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { say } from '../output/print.ts';
import { shellWord } from '../output/shell-word.ts';
import { firmwareFiles } from '../spec-files.ts';
import { expectedTimes } from './expected-times.ts';
import { planData } from './plan-data.ts';
import { planText } from './plan-text.ts';
import type { PlanReport } from './report.ts';

export interface PlanCommandOptions extends HostChoice {
  readonly spec: string;
  readonly save?: string | undefined;
  readonly output: OutputFormat;
}

export async function showPlan(options: PlanCommandOptions, io: CommandIo): Promise<ExitCode> {
  const spec = await loadTrustDomain(options.spec);
  io.files.reads(...firmwareFiles(spec));
  const host = await openHost(options, io);
  try {
    const report = await assess(spec, host, { choice: options, io });
    await printData(planData(report), {
      io,
      format: options.output,
      text: () => planText(report, io),
    });
    if (options.save !== undefined)
      await save(options.save, report, { kernel: options.kernel, io });
    return exitCodeOf(report.findings);
  } finally {
    await host.close();
  }
}

async function save(
  file: string,
  { plan, findings }: PlanReport,
  { kernel, io }: { readonly kernel: string | undefined; readonly io: CommandIo },
): Promise<void> {
  if (!plan || findings.length > 0) {
    say(io, `${file} was not written: there are findings`);
    return;
  }
  await savePlan(file, { plan, kernel });
  say(io, `wrote ${file}; \`tdctl run --plan ${shellWord(file)}\` runs it`);
}

async function assess(
  spec: TrustDomain,
  host: Host,
  { choice, io }: { readonly choice: HostChoice; readonly io: CommandIo },
): Promise<PlanReport> {
  const firmware = await tried(() => loadFirmware(spec.firmware));
  const offer = await readHostOffer(host);
  const keySlots = await host.keySlots();
  const cgroupRoom = await host.cgroupRoom();
  const memory = await host.memory();
  const { facts } = offer;
  const { plan, ...rest } = assessTd({
    spec,
    firmware: firmware.value,
    facts,
    offer,
    keySlots,
    cgroupRoom,
  });
  const known = [...firmware.problems, ...rest.findings];
  // An image that cannot be used is one finding among others, and so is what the twin of the host refuses.
  const times =
    plan && known.length === 0
      ? await tried(() => expectedTimes(plan, { choice, io }))
      : { problems: [] };
  const findings = [...known, ...times.problems];
  return { spec, offer, keySlots, memory, times: times.value, plan, ...rest, findings };
}

async function tried<Value>(
  work: () => Promise<Value>,
): Promise<{ readonly value?: Value; readonly problems: readonly TdctlError[] }> {
  try {
    return { value: await work(), problems: [] };
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    return { problems: [error] };
  }
}

/** A limit outweighs other findings: no other spec on this host would help. */
function exitCodeOf(findings: readonly TdctlError[]): ExitCode {
  if (findings.length === 0) return exitCodes.ok;
  const reachesLimit = findings.some(({ exitCode }) => exitCode === exitCodes.limitReached);
  return reachesLimit ? exitCodes.limitReached : exitCodes.findings;
}
