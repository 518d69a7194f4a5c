import { callText } from '../call-text.ts';
import type { LintFinding } from '../finding.ts';
import type { VmHistory } from '../history.ts';
import { buildingRules } from './building.ts';
import { releaseRules } from './release.ts';
import { repeatRules } from './repeats.ts';
import type { Found, LintRule, RuleTrace } from './rule.ts';
import { superfluousRules } from './superfluous.ts';

/** These are all rules about a TD. docs/exec-trace.md lists them, and a test keeps the two in step. */
export const lintRules: readonly LintRule[] = [
  ...repeatRules,
  ...buildingRules,
  ...superfluousRules,
  ...releaseRules,
];

/** What the rules say of a VM, when all of it is known. */
export function ruleFindings(vm: VmHistory, trace: RuleTrace): LintFinding[] {
  if (vm.isTd === false) return [];
  return lintRules.flatMap((rule) =>
    rule.find(vm, trace).map((found) => findingOf(rule, found, trace)),
  );
}

function findingOf(rule: LintRule, found: Found, { kernelAbi }: RuleTrace): LintFinding {
  const { id, severity, problem, kernel, remedy } = rule;
  const checksOfKernel = Object.values(kernelAbi.checks);
  const checks = (rule.checks ?? []).filter((check) =>
    checksOfKernel.some((ofRequest) => ofRequest.includes(check)),
  );
  const { at, detail } = found;
  return {
    id,
    severity,
    line: typeof at === 'number' ? at : at.line,
    call: typeof at === 'number' ? undefined : callText(at),
    problem: detail === undefined ? problem : `${problem} (${detail})`,
    kernel: checks.length === 0 ? kernel : `${kernel} (${checks.join(', ')})`,
    remedy,
    inferred: typeof at === 'number' ? undefined : at.inferred,
    count: 1 + (typeof at === 'number' ? 0 : (at.repeated ?? 0)),
  };
}
