/** `tdctl plan`: everything that a run would decide and meet, without the run. */

import { standardStream } from '../../documents/path-in-words.ts';
import { shellWord } from '../../documents/shell-word.ts';
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { loadFirmware } from '../../firmware/index.ts';
import type { BootImages } from '../../guest/boot/index.ts';
import { readHostOffer } from '../../host/offer.ts';
import type { Host } from '../../host/port.ts';
import { assessTd } from '../../plan/index.ts';
import { askHost } from '../../plan/judge/index.ts';
import { loadTrustDomain } from '../../spec/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import type { VmmAssessment } from '../../vmm/index.ts';
import { cacheDirectory } from '../cache-directory.ts';
import { openHostToActOn } from '../host-to-act-on.ts';
import type { CommandIo } from '../io.ts';
import { type HostChoice, openHost } from '../open-host.ts';
import type { OutputFormat } from '../options.ts';
import { printData } from '../output/data.ts';
import { say } from '../output/print.ts';
import { bootImagesOf, filesNamedIn } from '../spec-files.ts';
import { expectedTimes } from './expected-times.ts';
import { planData } from './plan-data.ts';
import { planText } from './plan-text.ts';
import type { PlanReport } from './report.ts';

export interface PlanCommandOptions extends HostChoice {
  readonly spec: string;
  readonly save?: string | undefined;
  readonly force?: true | undefined;
  /** The words after `tdctl`. */
  readonly typed: readonly string[];
  readonly output: OutputFormat;
}

export async function showPlan(options: PlanCommandOptions, io: CommandIo): Promise<ExitCode> {
  if (options.spec === standardStream && options.save !== undefined) throw nothingToComeBackTo();
  const spec = await loadTrustDomain(options.spec);
  io.files.reads(...filesNamedIn(spec));
  // A saved plan is there to be acted on.
  const host = await (options.save === undefined
    ? openHost(options, io)
    : openHostToActOn(options, { typed: options.typed, io }));
  try {
    const report = await assess(spec, host, { choice: options, io });
    await printData('tdctl.Plan', planData(report), {
      io,
      format: options.output,
      text: () => planText(report, io),
    });
    if (options.save !== undefined)
      await save(options.save, report, {
        kernel: options.kernel,
        force: options.force === true,
        io,
      });
    return exitCodeOf(report);
  } finally {
    await host.close();
  }
}

function nothingToComeBackTo(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'save the plan',
    place: '--save',
    message: 'a run of the plan reads the TrustDomain file again, and standard input is gone then',
    hint: 'write the TrustDomain into a file, and name that',
  });
}

async function save(
  file: string,
  { plan, findings }: PlanReport,
  {
    kernel,
    force,
    io,
  }: {
    readonly kernel: string | undefined;
    readonly force: boolean;
    readonly io: CommandIo;
  },
): Promise<void> {
  if (!plan || findings.length > 0) {
    say(io, `${file} was not written: there are findings`);
    return;
  }
  const { savePlan } = await import('../../plan/plan-file.ts');
  await savePlan(file, { plan, kernel, force });
  say(io, `wrote ${file}; \`tdctl run --plan ${shellWord(file)}\` runs it`);
}

async function assess(
  spec: TrustDomain,
  host: Host,
  { choice, io }: { readonly choice: HostChoice; readonly io: CommandIo },
): Promise<PlanReport> {
  const firmware = await tried(() => loadFirmware(spec.firmware));
  const boot = await bootImagesOf(spec);
  const vmm = await vmmOf(spec, { boot: boot instanceof TdctlError ? undefined : boot, io });
  const offer = await readHostOffer(host);
  const judged = await askHost(host, offer);
  // An image that cannot be used is one finding among others, and so is what the twin of the host refuses.
  const { plan, ...rest } = assessTd({
    spec,
    firmware: firmware.value ?? firmware.problems[0],
    boot,
    host: judged,
  });
  const known = [...(vmm?.findings ?? []), ...rest.findings];
  const times =
    plan && known.length === 0
      ? await tried(() => expectedTimes(plan, { choice, io }))
      : { problems: [] };
  const findings = [...known, ...times.problems];
  const { keySlots, cgroupRoom } = judged;
  const memory = await host.memory();
  const made = { spec, offer, keySlots, cgroupRoom, memory, times: times.value, plan, vmm };
  return { ...made, ...rest, findings };
}

/** The code for engines with devices is loaded for them alone. */
async function vmmOf(
  spec: TrustDomain,
  { boot, io }: { readonly boot: BootImages | undefined; readonly io: CommandIo },
): Promise<VmmAssessment | undefined> {
  if (spec.engine.kind === 'builtin') return undefined;
  const { assessVmm, probeMemory } = await import('../../vmm/index.ts');
  const directory = cacheDirectory(io.env);
  const memory = directory === undefined ? undefined : probeMemory(directory);
  return assessVmm(spec, { env: io.env, memory, boot });
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

/** A limit outweighs other findings: no other spec on this host would help. So does a VMM that cannot be used. */
function exitCodeOf({ findings, vmm }: PlanReport): ExitCode {
  if (findings.length === 0) return exitCodes.ok;
  if (vmm && vmm.program === undefined) return exitCodes.hostUnsupported;
  const reachesLimit = findings.some(({ exitCode }) => exitCode === exitCodes.limitReached);
  return reachesLimit ? exitCodes.limitReached : exitCodes.findings;
}
