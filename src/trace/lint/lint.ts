/**
 * The linter judges a trace against the rules of a kernel on a simulated host. See docs/exec-trace.md.
 */
import { book, type CheckName } from '../../abi/kvm/checks/index.ts';
import { initVmRules, isInitVmRule } from '../../abi/kvm/init-vm-rules.ts';
import { isCircumstance } from './circumstances.ts';
import { contentOf, Findings, type LintFinding, type Severity } from './finding.ts';
import { isInitialized, TraceHistory, type VmHistory } from './history.ts';
import { judgeRefusal, type Refusal } from './judge.ts';
import { Replay, type ReplayOptions } from './replay/replay.ts';
import { ruleFindings } from './rules/index.ts';
import { traceFindings } from './trace-findings.ts';
import {
  errnoOf,
  isCall,
  succeeded,
  type TracedCall,
  type TracedStep,
  type TracedTrace,
  type TraceEnd,
} from './traced.ts';

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
  /** How many findings there are beyond those, which are not listed. */
  readonly further: Readonly<Record<Severity, number>>;
}

export async function lintTrace(trace: TracedTrace, options: LintOptions): Promise<LintReport> {
  const { kernelAbi, hostName } = options;
  const judge = new TraceJudge(options, { isSimulated: trace.format === 'tdctl' });
  for await (const steps of trace.steps) {
    for (const step of steps) {
      if (isCall(step)) await judge.call(step);
      else await judge.other(step);
    }
  }
  const end = trace.end();
  judge.end(end);
  const { findings, calls, replayed, tds } = judge;
  for (const finding of traceFindings(end, judge)) findings.add(finding);
  return {
    format: trace.format,
    host: hostName,
    kernel: kernelAbi.name,
    calls,
    replayed,
    tds,
    otherLines: end.otherLines,
    findings: findings.all,
    further: findings.further,
  };
}

/** Findings of one kind that may still change. */
interface Pending {
  readonly finding: LintFinding;
  readonly lastLine: number;
}

/** Holds what is open in the trace, and no more: a VM is judged when its last file is closed. */
class TraceJudge {
  readonly findings = new Findings();
  calls = 0;
  replayed = 0;
  tds = 0;
  readonly #history = new TraceHistory();
  readonly #stopped = new Set<VmHistory>();
  readonly #replay: Replay;
  readonly #options: LintOptions & { readonly isSimulated: boolean };
  /**
   * Refusals that are no fault of the program, by file, by request, and by what they say. The program may yet
   * try again.
   */
  readonly #unlucky = new Map<string, Map<string, Map<string, Pending>>>();
  /** The first finding about each VM that has answered EIO without another reason, and so is dead. */
  readonly #dead = new Map<VmHistory, LintFinding>();

  constructor(options: LintOptions, made: { readonly isSimulated: boolean }) {
    this.#replay = new Replay(options);
    this.#options = { ...options, ...made };
  }

  get follows(): boolean {
    return this.#replay.follows;
  }

  async other(step: TracedStep): Promise<void> {
    await this.#replay.play(step);
    const { record } = step;
    const gone = this.#history.take(step);
    if (gone !== undefined) {
      this.#replay.forget(new Set(gone.closed.keys()));
      this.#judge(gone, undefined);
    } else if (record.kind === 'close' && record.object.startsWith('sys#')) {
      this.#replay.forget(new Set([record.object]));
    }
  }

  async call(call: TracedCall): Promise<void> {
    this.calls += 1;
    const simulated = this.follows ? await this.#replay.play(call) : undefined;
    if (simulated !== undefined) this.replayed += 1;
    const vm = this.#history.vmOf(call);
    const problemsOf = this.#problemsOf.bind(this);
    const refusal = judgeRefusal({ call, simulated, problemsOf, ...this.#options });
    if (refusal !== undefined) this.#refused(refusal, call, vm);
    if (succeeded(call)) this.#repeated(call);
    this.#history.take(call);
  }

  /** Judges the VMs that the program never closed, and what was asked of no VM. */
  end(end: TraceEnd): void {
    for (const vm of this.#history.vms) this.#judge(vm, end);
    for (const file of this.#unlucky.keys()) this.#settle(file, new Set());
  }

  #judge(vm: VmHistory, end: TraceEnd | undefined): void {
    if (vm.isTd ?? isInitialized(vm)) this.tds += 1;
    const { kernelAbi } = this.#options;
    const about = { end, history: this.#history, kernelAbi, stopped: this.#stopped };
    const ofRules = ruleFindings(vm, about);
    // That a call should have been repeated implies that it was refused.
    const told = new Set(
      ofRules.filter(({ id }) => id.endsWith('.not-repeated')).map(({ line }) => line),
    );
    for (const file of new Set([...vm.closed.keys(), ...vm.open])) this.#settle(file, told);
    for (const finding of ofRules) this.findings.add(finding);
    const dead = this.#dead.get(vm);
    if (dead !== undefined) this.findings.add(dead);
    this.#dead.delete(vm);
    this.#stopped.delete(vm);
  }

  #problemsOf(call: TracedCall, check: CheckName): readonly string[] {
    if (!isInitVmRule(check)) return [];
    const facts = this.#replay.initVmFacts(call);
    return facts === undefined ? [] : initVmRules[check].problems(facts);
  }

  #refused({ finding, check }: Refusal, call: TracedCall, vm: VmHistory | undefined): void {
    // A call on a VM that is no TD may be right for such a VM, so its refusal is only a note.
    if (vm?.isTd === false) {
      this.findings.add({ ...finding, severity: 'note' });
      return;
    }
    if (vm !== undefined && finding.severity === 'error') this.#stopped.add(vm);
    const errno = errnoOf(call);
    // A dead VM answers EIO to whatever it is asked, so one finding is enough.
    if (vm !== undefined && errno === 'EIO' && mayBeDead(check)) {
      const known = this.#dead.get(vm);
      this.#dead.set(vm, known === undefined ? finding : { ...known, count: known.count + 1 });
    } else if (errno !== undefined && isCircumstance({ errno, check })) {
      this.#wait(call, finding);
    } else {
      this.findings.add(finding);
    }
  }

  #wait({ record: { object, request } }: TracedCall, finding: LintFinding): void {
    const ofFile = this.#unlucky.get(object) ?? new Map<string, Map<string, Pending>>();
    this.#unlucky.set(object, ofFile);
    const pending = ofFile.get(request) ?? new Map<string, Pending>();
    ofFile.set(request, pending);
    const content = contentOf(finding);
    const known = pending.get(content)?.finding;
    const counted = known === undefined ? finding : { ...known, count: known.count + 1 };
    pending.set(content, { finding: counted, lastLine: finding.line });
  }

  /** The program did not try again. */
  #settle(file: string, told: ReadonlySet<number>): void {
    for (const pending of this.#unlucky.get(file)?.values() ?? []) {
      for (const { finding, lastLine } of pending.values()) {
        const count = finding.count - (told.has(lastLine) ? 1 : 0);
        if (count > 0) this.findings.add({ ...finding, count });
      }
    }
    this.#unlucky.delete(file);
  }

  /** A program that tries again has done what it should. */
  #repeated(call: TracedCall): void {
    const { object, request } = call.record;
    const ofFile = this.#unlucky.get(object);
    for (const { finding } of ofFile?.get(request)?.values() ?? []) {
      const problem = `${finding.problem}, and tried again until it was taken on line ${call.line}`;
      this.findings.add({ ...finding, severity: 'note', problem, remedy: undefined });
    }
    ofFile?.delete(request);
  }
}

function mayBeDead(check: CheckName | undefined): boolean {
  return check === undefined || check === 'vm.dead' || book[check].vmDead === true;
}
