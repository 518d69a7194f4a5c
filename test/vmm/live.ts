/** A TD that the real QEMU has, on a simulated host with one key slot: what bash does with it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { noQemu, type Qemu, qemu } from '../exec/qemu/qemu.ts';
import { builtMain } from '../support/built.ts';
import { stateBase } from '../support/state-base.ts';
import { projectRoot, runProgram, tdctl } from '../support/tdctl.ts';

const prelude = `
set -u
td() { ${process.execPath} ${builtMain()} "$@"; }
field() { td show $1 -o json | tr -d '\\n' | sed -n "s/.*\\"$2\\": *\\([^,]*\\).*/\\1/p"; echo; }
create() { td create td.yaml --host $host --start -o name || exit 9; }
keeper() { field web pid; }
qemu() { sed -n 's/.*"vmm":{"pid":\\([0-9]*\\).*/\\1/p' $TDCTL_STATE_DIR/td/web/status.json; }
state() { td list -o json | tr -d ' \\n' | sed 's/.*"state":"\\([a-z]*\\)".*/\\1\\n/'; }
# A pause that found a vCPU before it held has ended nothing, so it is tried again after a while.
prints() {
  local looks=0
  until grep -q "$1" $TDCTL_STATE_DIR/td/web/console.log; do
    sleep 0.02; looks=$((looks + 1))
    if [ $((looks % 200)) = 0 ]; then { td pause web; td resume web; } >/dev/null 2>&1; fi
  done
}
reason() { td show web | grep -E '^  (error|note)'; }
`;

/** The `tdctl exec` of a QEMU that has ended may still write down what it compiled, so this is not removed with the TD. */
const cache = join(projectRoot, '.test-results/cache');

export interface Life {
  /** The steps of the boot vCPU, as a RunScript has them. Without any it powers the machine off. */
  readonly guest?: string;
  /** Lines of the TrustDomain file that follow `spec:`. */
  readonly spec?: string;
  /** What a shell does in place of QEMU where the TD is to be started; `real` goes on as QEMU. */
  readonly instead?: string;
  readonly script: string;
  /** Where TDs are kept, from where they are made. */
  readonly state?: string;
  /** By which door QEMU has its host: `tdctl exec` around all, or a shared host that the keeper starts it on. */
  readonly door?: 'exec' | 'shared';
  /** How many key slots are ever taken. */
  readonly slots?: 0;
}

export async function live(
  context: TestContext,
  { guest, spec = '', instead, script, slots, door = 'exec', state = 's' }: Life,
) {
  if (qemu === undefined) context.skip(noQemu);
  const { program, firmware } = qemu as Qemu;
  const directory = mkdtempSync(join(stateBase, 'tdq-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  const guestFile = join(directory, 'run.yaml');
  write(
    'run.yaml',
    `{apiVersion: tdctl.io/v1alpha1, kind: RunScript, metadata: {name: guest}, spec: {vcpus: [
      {ids: [0], steps: [${guest}]}, {ids: others, steps: [{hold: true}]}]}}`,
  );
  mkdirSync(dirname(join(directory, state)), { recursive: true });
  write(
    'qemu',
    `#!/bin/bash
real() { exec ${program} "$@"; }
case "$*" in *guest=web*) ${instead} ;; *) real "$@" ;; esac
`,
  );
  chmodSync(join(directory, 'qemu'), 0o755);
  write(
    'td.yaml',
    `apiVersion: tdctl.io/v1alpha1
kind: TrustDomain
metadata: {name: web}
spec:
  engine: qemu
  vcpus: 2
  memory: 256MiB
  firmware: ${firmware}
  qemu: {binary: ${instead === undefined ? program : join(directory, 'qemu')}}
${spec}`,
  );
  mkdirSync(cache, { recursive: true });
  const env = { TDCTL_STATE_DIR: join(directory, state), XDG_CACHE_HOME: cache };
  const given = { script, cwd: directory, env, guest: guest === undefined ? undefined : guestFile };
  return door === 'exec' ? liveUnderExec(given, slots) : liveOnShared(given);
}

interface Given {
  readonly script: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A RunScript. */
  readonly guest: string | undefined;
}

async function liveUnderExec({ script, cwd, env, guest }: Given, slots = 1) {
  const runs = guest === undefined ? [] : ['--run', guest];
  const command = ['bash', '-c', `host=kvm${prelude}${script}`];
  const lived = await tdctl(['exec', '--host', 'sim:one-slot', ...runs, '--', ...command], {
    ...{ cwd, env },
  });
  expect(lived.stderr).toContain(`key slots   ${slots} of 1 at the peak, 0 now`);
  expect(lived.stderr).not.toMatch(/never closed|still open/);
  return lived;
}

async function liveOnShared({ script, cwd, env, guest }: Given) {
  const host = (...args: readonly string[]) => tdctl(['host', ...args], { env });
  await host('start', 'lab', '--host', 'sim:one-slot');
  try {
    const all = { ...env, ...(guest !== undefined && { TDCTL_RUN_SCRIPT: guest }) };
    const lived = await runProgram('bash', ['-c', `host=on:lab${prelude}${script}`], {
      ...{ cwd, env: all },
    });
    const { keySlots, programs } = JSON.parse((await host('show', 'lab', '-o', 'json')).stdout);
    expect({ keySlots, programs }).toMatchObject({ keySlots: { used: 0, total: 1 }, programs: [] });
    return lived;
  } finally {
    await host('stop', 'lab', '--now');
  }
}
