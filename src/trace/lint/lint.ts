/**
 * The linter judges a trace against the rules of a kernel on a simulated host. See docs/exec-trace.md.
 */
import { book, type CheckName } from '../../abi/kvm/checks/index.ts';
import { initVmRules, isInitVmRule } from '../../abi/kvm/init-vm-rules.ts';
import { isCircumstance } from './circumstances.ts';
import { collected, type LintFinding } from './finding.ts';
import { isInitialized, TraceHistory, type VmHistory } from './history.ts';
import { judgeRefusal, type Refusal } from './judge.ts';
import { Replay, type ReplayOptions } from './replay/replay.ts';
import { ruleFindings } from './rules/index.ts';
import { traceFindings } from './trace-findings.ts';
import { errnoOf, isCall, succeeded, type TracedCall, type TracedTrace } from './traced.ts';

export interface LintOptions extends ReplayOptions {
  /** Name of the host as given with `--host`. */
  readonly hostName: string;
}

export interface LintReport {
  readonly format: TracedTrace['format'];
  readonly host: string;
  readonly kernel: string;
  /** Number of KVM calls in the trace. */
  readonly calls: number;
  /** Number of those that were also asked of the simulated kernel. */
  readonly replayed: number;
  readonly tds: number;
  readonly otherLines: number;
  /** Findings in the order of the trace. */
  readonly findings: readonly LintFinding[];
}

export async function lintTrace(trace: TracedTrace, options: LintOptions): Promise<LintReport> {
  const { kernelAbi, hostName } = options;
  const judge = new TraceJudge(options);
  for (const step of trace.steps) {
    if (isCall(step)) await judge.call(step);
    else await judge.other(step);
  }
  const { history, stopped } = judge;
  const ofRules = ruleFindings({ trace, history, kernelAbi, stopped });
  const findings = [
    ...judge.findings.filter(({ line }) => !isToldByARule(line, ofRules)),
    ...ofRules,
    ...traceFindings(trace, { follows: judge.follows }),
  ];
  return {
    format: trace.format,
    host: hostName,
    kernel: kernelAbi.name,
    calls: trace.steps.filter(isCall).length,
    replayed: judge.replayed,
    tds: history.vms.filter((vm) => vm.isTd ?? isInitialized(vm)).length,
    otherLines: trace.otherLines,
    findings: collected(findings),
  };
}

/** A finding that a call should have been repeated already implies that it was refused. */
function isToldByARule(line: number, ofRules: readonly LintFinding[]): boolean {
  return ofRules.some((rule) => rule.line === line && rule.id.endsWith('.not-repeated'));
}

class TraceJudge {
  readonly history = new TraceHistory();
  readonly findings: LintFinding[] = [];
  readonly stopped = new Set<VmHistory>();
  replayed = 0;
  readonly #replay: Replay;
  readonly #options: LintOptions;
  /** Refusals that are no fault of the program, by file and request. The program may yet try again. */
  readonly #unlucky = new Map<string, number[]>();
  /** VMs that have answered EIO without another reason, and so are dead. */
  readonly #dead = new Map<VmHistory, number>();

  constructor(options: LintOptions) {
    this.#replay = new Replay(options);
    this.#options = options;
  }

  get follows(): boolean {
    return this.#replay.follows;
  }

  async other(step: TracedTrace['steps'][number]): Promise<void> {
    await this.#replay.play(step);
    this.history.take(step);
  }

  async call(call: TracedCall): Promise<void> {
    const simulated = this.follows ? await this.#replay.play(call) : undefined;
    if (simulated !== undefined) this.replayed += 1;
    const vm = this.history.vmOf(call);
    const problemsOf = this.#problemsOf.bind(this);
    const refusal = judgeRefusal({ call, simulated, problemsOf, ...this.#options });
    if (refusal !== undefined) this.#refused(refusal, call, vm);
    if (succeeded(call)) this.#repeated(call);
    this.history.take(call);
  }

  #problemsOf(call: TracedCall, check: CheckName): readonly string[] {
    if (!isInitVmRule(check)) return [];
    const facts = this.#replay.initVmFacts(call);
    return facts === undefined ? [] : initVmRules[check].problems(facts);
  }

  #refused({ finding, check }: Refusal, call: TracedCall, vm: VmHistory | undefined): void {
    // A call on a VM that is no TD may be right for such a VM, so its refusal is only a note.
    if (vm?.isTd === false) {
      this.findings.push({ ...finding, severity: 'note' });
      return;
    }
    if (vm !== undefined && finding.severity === 'error') this.stopped.add(vm);
    // A dead VM answers EIO to whatever it is asked, so one finding is enough.
    const saysDead = vm !== undefined && errnoOf(call) === 'EIO' && mayBeDead(check);
    const first = saysDead ? this.#dead.get(vm) : undefined;
    const known = first === undefined ? undefined : this.findings[first];
    if (first !== undefined && known !== undefined) {
      this.findings[first] = { ...known, count: known.count + 1 };
      return;
    }
    const errno = errnoOf(call);
    if (errno !== undefined && isCircumstance({ errno, check })) {
      const key = unluckyKey(call);
      this.#unlucky.set(key, [...(this.#unlucky.get(key) ?? []), this.findings.length]);
    }
    if (saysDead) this.#dead.set(vm, this.findings.length);
    this.findings.push(finding);
  }

  /** A program that tries again has done what it should. */
  #repeated(call: TracedCall): void {
    const key = unluckyKey(call);
    for (const at of this.#unlucky.get(key) ?? []) {
      const finding = this.findings[at];
      if (finding === undefined) continue;
      const problem = `${finding.problem}, and tried again until it was taken on line ${call.line}`;
      this.findings[at] = { ...finding, severity: 'note', problem, remedy: undefined };
    }
    this.#unlucky.delete(key);
  }
}

function mayBeDead(check: CheckName | undefined): boolean {
  return check === undefined || check === 'vm.dead' || book[check].vmDead === true;
}

function unluckyKey({ record }: TracedCall): string {
  return `${record.object}.${record.request}`;
}
