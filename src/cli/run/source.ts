/** What a run is made from: a TrustDomain file, or a saved plan that must still hold. */
import { TdctlError } from '../../errors/index.ts';
import type { TdPlan } from '../../plan/index.ts';
import { checkUnchanged, readSavedPlan } from '../../plan/plan-file.ts';
import type { HostChoice } from '../open-host.ts';
import type { RunOptions } from './options.ts';

export interface RunSource {
  readonly specPath: string;
  readonly choice: HostChoice;
  /** @throws TdctlError TDCTL_E_PLAN_STALE when a saved plan no longer fits. */
  checkUnchanged(plan: TdPlan): void;
}

export async function runSource(options: RunOptions): Promise<RunSource> {
  const { spec, plan: file } = options;
  if ((spec === undefined) === (file === undefined)) throw oneOfTwo();
  if (file === undefined) {
    return { specPath: spec ?? '', choice: options, checkUnchanged: () => undefined };
  }
  const saved = await readSavedPlan(file);
  return {
    specPath: saved.specPath,
    choice: saved.choice,
    checkUnchanged: (plan) => checkUnchanged(saved, { plan, file }),
  };
}

function oneOfTwo(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'run',
    message: 'either a TrustDomain file or --plan FILE is needed, not both',
    hint: 'tdctl run td.yaml, or tdctl run --plan td.plan',
  });
}
