/**
 * A TD in a unit of a real systemd moves to a keeper in that unit. The manager is that of a user, in namespaces in which the
 * machine looks booted with systemd and has the cgroups of one of its own; `systemd-run` of root finds it in the place of
 * the system's.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { builtMain, projectRoot } from '../../support/built.ts';

const manager = '/lib/systemd/systemd';

const inNamespace = `
set -e
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/user-manager
chmod 700 /run/user-manager
export XDG_RUNTIME_DIR=/run/user-manager
${manager} --user > "$TDCTL_STATE_DIR/manager.log" 2>&1 &
manager=$!
trap 'kill $manager; wait $manager || true' EXIT
for wait in $(seq 200); do
  if systemctl --user is-active --quiet init.scope 2>/dev/null; then break; fi
  sleep 0.05
done
systemctl --user is-active --quiet init.scope || exit 77
ln -s /run/user-manager/systemd/private /run/systemd/private
systemd-run --quiet true || exit 77
`;

function skipWithoutSystemd(context: TestContext): void {
  if (process.getuid?.() !== 0) context.skip('only root can mount');
  if (!existsSync(manager)) context.skip('systemd is not installed');
  if (spawnSync('systemd-run', ['--version']).status !== 0) context.skip('there is no systemd-run');
}

/** A cgroup for all that the manager touches: it takes every process along that is where it is itself. */
function ownCgroup(context: TestContext): string {
  const root = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  if (root === undefined) context.skip('no cgroup v2 is mounted');
  const directory = `${root}/tdctl-test-${process.pid}`;
  try {
    mkdirSync(directory);
  } catch (error) {
    context.skip(`no cgroup can be made here: ${(error as NodeJS.ErrnoException).code}`);
  }
  context.onTestFinished(() => removeCgroup(directory));
  return directory;
}

function removeCgroup(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(directory, entry.name));
  }
  rmdirSync(directory);
}

/** Runs the words in a shell, in which `tdctl` is what was built. */
function withManager(context: TestContext, words: string) {
  const cgroup = ownCgroup(context);
  const scratch = mkdtempSync(join(tmpdir(), 'tdu-'));
  context.onTestFinished(() => rmSync(scratch, { recursive: true }));
  const script = join(scratch, 'script');
  const tdctl = `tdctl() { '${process.execPath}' '${builtMain()}' "$@"; }`;
  writeFileSync(script, `${inNamespace}\n${tdctl}\n${words}`);
  const unshare = `exec unshare --mount --cgroup --propagation private bash '${script}'`;
  const ran = spawnSync('sh', ['-c', `echo $$ > '${cgroup}/cgroup.procs' && ${unshare}`], {
    cwd: projectRoot,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, TDCTL_STATE_DIR: scratch },
  });
  if (ran.status === 77 || /unshare failed|mount: /.test(ran.stderr)) {
    context.skip(`systemd does not start here: ${ran.stderr.trim().split('\n')[0]}`);
  }
  return ran;
}

test('where the kernel moves none, it stays as it is', (context) => {
  skipWithoutSystemd(context);
  const { stdout, stderr, status } = withManager(
    context,
    `
tdctl create examples/hello.yaml --name still --host sim --start --unit > /dev/null
main() { systemctl --user show tdctl-td-still.service -p MainPID -p ActiveState; }
before=$(main)
tdctl migrate still || echo "exit $?"
[ "$(main)" = "$before" ]
tdctl stop still --wait
`,
  );
  expect({ stdout, status }).toMatchObject({
    stdout: expect.stringMatching(/^exit 8\n.*still: destroyed/s),
    status: 0,
  });
  expect(stderr).toContain('KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM');
});

test('it stays in its unit, which lives by the next keeper and ends with it', (context) => {
  skipWithoutSystemd(context);
  const { stdout, stderr, status } = withManager(
    context,
    `
unit=tdctl-td-hello.service
show() { systemctl --user show $unit -p MainPID -p ActiveState -p SubState -p ControlGroup; }
keeper() { tdctl show hello -o json | '${process.execPath}' -p 'JSON.parse(require("fs").readFileSync(0)).keeper.pid'; }
tdctl create examples/hello.yaml --host sim --kernel rfc-migration-v2 --start --unit > /dev/null
for move in 1 2 3; do
  before=$(keeper)
  tdctl migrate hello > /dev/null
  now=$(keeper)
  [ $now != $before ]
  grep -q "/$unit$" /proc/$now/cgroup
  while [ -e /proc/$before ]; do sleep 0.02; done
  echo "keeper $now"
  show
done
tdctl upgrade hello --force
kept=$(keeper)
[ "$(systemctl --user show $unit -p MainPID --value)" = $kept ]
systemctl --user stop $unit
tdctl show hello -o json | '${process.execPath}' -p 'JSON.parse(require("fs").readFileSync(0)).state'
`,
  );
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const said = [...stdout.matchAll(/^keeper (\d+)\n((?:\w+=.*\n)+)/gm)];
  expect(said).toHaveLength(3);
  for (const [, keeper, shown] of said) {
    const properties = Object.fromEntries(
      (shown ?? '')
        .trim()
        .split('\n')
        .map((line) => line.split('=')),
    );
    expect(properties).toMatchObject({
      ...{ MainPID: keeper, ActiveState: 'active', SubState: 'running' },
      ControlGroup: expect.stringMatching(/\/tdctl-td-hello\.service$/),
    });
  }
  expect(stdout).toMatch(/^hello: moved: process \d+ → \d+/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('destroyed');
});
