/** These findings are about the trace itself rather than about the program. */
import type { LintFinding, Severity } from './finding.ts';
import type { TraceEnd } from './traced.ts';

export function traceFindings(
  trace: TraceEnd,
  { follows, calls }: { readonly follows: boolean; readonly calls: number },
): LintFinding[] {
  const said = (id: string, severity: Severity, about: Partial<LintFinding>): LintFinding => ({
    id,
    severity,
    line: trace.lastLine,
    call: undefined,
    problem: '',
    kernel: undefined,
    remedy: undefined,
    inferred: undefined,
    count: 1,
    ...about,
  });
  return [
    ...trace.unreadable.map(({ line, problem }) =>
      said('trace.unreadable', 'warning', {
        line,
        problem: `the line was passed over: it ${problem}`,
      }),
    ),
    ...(trace.isWhole
      ? []
      : [
          said('trace.cut-off', 'note', {
            problem: `the trace broke off after call ${calls}, before the program ended: nothing is said of what came after`,
            remedy: 'trace until the program has ended',
          }),
        ]),
    ...(trace.tellsCloses
      ? []
      : [
          said('trace.without-closes', 'note', {
            problem: 'the trace shows no close(): whether key slots were given back is not judged',
            remedy: 'trace with `strace -f -y -e trace=ioctl,openat,close,dup,fcntl`',
          }),
        ]),
    ...(follows
      ? []
      : [
          said('trace.not-followed', 'note', {
            problem:
              'the trace and the simulated host parted too often: the rest is judged by its order alone',
            remedy: 'name a host and a kernel that are more like those of the trace',
          }),
        ]),
  ];
}
