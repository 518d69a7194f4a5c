/** Keepers on `kvm`, whose kernel is the simulated one: real fds in several processes, and one key slot for all. */
import { expect, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { tdctl } from '../support/tdctl.ts';

/** A TD by each name, one after the other, where there is a slot for one at a time. */
const script = `
set -e
tdctl() { ${process.execPath} ${builtMain()} "$@"; }
hello=${projectRoot}/examples/hello.yaml
pid_of() { tdctl show "$1" -o json | sed -n 's/^ *"pid": \\([0-9]*\\).*/\\1/p'; }
tdctl create $hello --host kvm --name first
tdctl create $hello --host kvm --name second && exit 90 || test $? = 7
kill -9 "$(pid_of first)"
tdctl wait first --for lost
tdctl create $hello --host kvm --name third --start
tdctl stop third --wait || tdctl wait third --for destroyed
tdctl create $hello --host kvm --name first
tdctl stop first --wait
tdctl list -o json
`;

test('a key slot is free again however its keeper ends, and who comes too early is told', async (context) => {
  if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
  const { exitCode, stdout, stderr } = await tdctl([
    'exec',
    ...['--host', 'sim:one-slot', '--', 'bash', '-c', script],
  ]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toContain('key slots   1 of 1 at the peak, 0 now');
  const { items } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{')));
  const states = items.map(({ name, state }: Record<string, unknown>) => `${name}: ${state}`);
  expect(states.sort()).toEqual(['first: destroyed', 'second: failed', 'third: destroyed']);
});
