/** A kept TD moves between keepers on `kvm`: what passes are fds of the kernel, which here is the simulated one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { builtMain, projectRoot } from '../support/built.ts';
import { keeping } from '../support/kept.ts';
import { tdctl } from '../support/tdctl.ts';
import { requireSupervision } from './programs.ts';

const { scratch } = keeping();
const runsOn = join(scratch, 'runs-on.yaml');
writeFileSync(
  runsOn,
  `
apiVersion: tdctl.io/v1alpha1
kind: RunScript
metadata: { name: on }
spec:
  vcpus: [{ ids: others, steps: [{ hold: true }] }]
`,
);

/** The report of the move, and then how the TD stands, once the process that it has left is gone. */
const script = (name: string) => `
tdctl() { ${process.execPath} ${builtMain()} "$@"; }
tdctl create ${projectRoot}/examples/hello.yaml --name ${name} --host kvm --start > /dev/null || exit 90
report=$(tdctl migrate ${name} -o json)
moved=$?
first=$(echo "$report" | sed -n 's/^ *"pid": \\([0-9]*\\).*/\\1/p' | head -n 1)
while [ -n "$first" ] && kill -0 "$first" 2> /dev/null; do sleep 0.02; done
echo "[$report]"
tdctl show ${name} -o json
tdctl stop ${name} --wait > /dev/null || exit 91
exit $moved
`;

async function moveUnder(context: TestContext, kernel: string) {
  requireSupervision(context);
  const { exitCode, stdout, stderr } = await tdctl([
    ...['exec', '--host', 'sim:one-slot', '--kernel', kernel, '--run', runsOn, '--'],
    ...['bash', '-c', script(`under-${kernel.replace('.', '-')}`)],
  ]);
  const end = stdout.indexOf(']\n{') + 1;
  const [report] = JSON.parse(stdout.slice(0, end));
  return { exitCode, stderr, report, shown: JSON.parse(stdout.slice(end)) };
}

describe('a TD whose guest runs, on a host of one key slot', () => {
  test.for(['rfc-migration-v1', 'rfc-migration-v2', 'proposal-1'])(
    'goes to its next keeper under %s, and the slot with it',
    async (kernel, context) => {
      const { exitCode, stderr, report, shown } = await moveUnder(context, kernel);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(report).toMatchObject({ verdict: 'completed', error: null, leftovers: [] });
      expect(report.blackoutMs).toBeGreaterThan(0);
      const { fromKeeper, toKeeper } = report;
      expect(toKeeper.pid).not.toBe(fromKeeper.pid);
      expect(shown).toMatchObject({ state: 'running', life: 2, keeper: { pid: toKeeper.pid } });
      expect(stderr).toContain('key slots   1 of 1 at the peak, 0 now');
      expect(stderr).toContain('released    everything');
    },
  );

  test('stays where it is under a kernel that moves none, and what it would need is said', async (context) => {
    const { exitCode, stderr, shown } = await moveUnder(context, 'upstream-7.3');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 8 });
    expect(stderr).toContain('does not move TDs: KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM answered EINVAL');
    expect(stderr).toContain('rfc-migration-v2');
    expect(shown).toMatchObject({ state: 'running', life: 1, keeper: { lives: true } });
    expect(stderr).toContain('key slots   1 of 1 at the peak, 0 now');
  });
});
