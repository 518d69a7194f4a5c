/** What a run is made from: a TrustDomain file, or a saved plan that must still hold. */
import { TdctlError } from '../../errors/index.ts';
import type { NamedFile } from '../../files/named-files.ts';
import type { TdPlan } from '../../plan/index.ts';
import { hostFileIn } from '../file-arguments.ts';
import type { HostChoice } from '../open-host.ts';
import type { RunOptions } from './options.ts';

export interface RunSource {
  readonly specPath: string;
  readonly choice: HostChoice;
  /** The files that a saved plan names. */
  readonly files: readonly NamedFile[];
  /** @throws TdctlError TDCTL_E_PLAN_STALE when a saved plan no longer fits. */
  checkUnchanged(plan: TdPlan): void;
}

export async function runSource(options: RunOptions): Promise<RunSource> {
  const { spec, plan: file } = options;
  if ((spec === undefined) === (file === undefined))
    throw oneOfTwo(spec === undefined ? 'none' : 'both');
  if (file === undefined) {
    return {
      specPath: spec ?? '',
      choice: options,
      files: [],
      checkUnchanged: () => undefined,
    };
  }
  const { checkUnchanged, readSavedPlan } = await import('../../plan/plan-file.ts');
  const saved = await readSavedPlan(file);
  const { specPath, choice } = saved;
  const hostFiles = hostFileIn(choice.host).map((path) => ({ path, by: `host of ${file}` }));
  return {
    specPath,
    choice,
    files: [{ path: specPath, by: `spec of ${file}` }, ...hostFiles],
    checkUnchanged: (plan) => checkUnchanged(saved, { plan, file }),
  };
}

function oneOfTwo(given: 'both' | 'none'): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'run',
    message:
      given === 'none'
        ? 'what to run is not said: a TrustDomain file, or --plan FILE'
        : 'a TrustDomain file and --plan FILE are both given, and the plan names its file',
    hint: 'tdctl run td.yaml, or tdctl run --plan td.plan',
  });
}
