/** All that can be said of a TD with devices before its VMM is started. */
import { TdctlError } from '../errors/index.ts';
import type { BootImages } from '../guest/boot/index.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';
import { chooseCid } from './choose-cid.ts';
import {
  type CommandPart,
  commandOf,
  commandParts,
  shellText,
  type VmmCommand,
  type VmmPlaces,
  type VmmPlan,
} from './command-line/index.ts';
import { type MeasuredInput, measuredBoot } from './measured-boot.ts';
import { cidHolders, preflightVmm } from './preflight/index.ts';
import { type ProbeOptions, probeVmm, type VmmProgram } from './probe/index.ts';

export interface VmmAssessment {
  /** undefined: it cannot be used, which is among the findings. */
  readonly program: VmmProgram | undefined;
  readonly command: VmmCommand;
  readonly parts: readonly CommandPart[];
  /** The command as a person can type it. */
  readonly shell: string;
  /** What direct boot adds to the measurement. */
  readonly measuredBoot: readonly MeasuredInput[];
  /** Nobody else can say from the file what runs, where words of its own are on the command line. */
  readonly isReproducible: boolean;
  readonly findings: readonly TdctlError[];
}

export interface AssessVmmOptions extends ProbeOptions {
  /** The files of `spec.boot`, where they could be read. */
  readonly boot?: BootImages | undefined;
}

export async function assessVmm(
  spec: TrustDomain,
  { boot, ...probe }: AssessVmmOptions,
): Promise<VmmAssessment> {
  const { engine } = spec;
  if (engine.kind !== 'qemu') throw new Error('the builtin engine has no VMM');
  const program = await probeVmm(spec, probe).catch((error: unknown) => {
    if (error instanceof TdctlError) return error;
    throw error;
  });
  const usable = program instanceof TdctlError ? undefined : program;
  const { findings, disks, vfioFiles } = await preflightVmm(spec);
  const plan: VmmPlan = {
    spec,
    program: usable?.path ?? engine.binary,
    // The keeper takes another for each life.
    uuid: '00000000-0000-0000-0000-000000000000',
    vsockCid: engine.vsock === 'auto' ? freeCid(spec.name) : engine.vsock,
    disks: engine.disks.map(({ path, format }, index) =>
      disks[index]?.length ? disks[index] : [{ path, format, isBlockDevice: false }],
    ),
    vfioFiles,
  };
  const places = placesOf(spec.name);
  const command = commandOf(plan, places);
  const parts = commandParts(plan, places);
  return {
    program: usable,
    command,
    parts,
    shell: shellText(plan.program, { parts, files: command.files }),
    measuredBoot: spec.boot && boot ? measuredBoot(spec.boot.cmdline, boot) : [],
    isReproducible: engine.extraArgs.length === 0,
    findings: [...(program instanceof TdctlError ? [program] : []), ...findings],
  };
}

function freeCid(name: string): number {
  return chooseCid(name, new Set(cidHolders().map(({ cid }) => cid)));
}

/** Where nobody keeps the TD: in the directory that the line is typed in. */
function placesOf(name: string): VmmPlaces {
  return { monitor: `${name}.monitor`, console: `${name}.console`, directory: '.' };
}
