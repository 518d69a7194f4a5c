/** A migration on `soft`: VMs, vCPUs and guest_memfds are real on both sides, and none of them remains. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { openSoftHost } from '../../src/host/soft/soft-host.ts';
import { realStage, rehearseOn, standardScenario } from '../../src/rehearsal/index.ts';
import { helloPlan, profile } from '../support/hello-plan.ts';

function kvmFds(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ''; // Closed between the listing and the look.
      }
    })
    .filter((target) => /kvm-/.test(target))
    .map((target) => target.replace('anon_inode:', '').replace(/:.*/, ''));
}

const count = (fds: readonly string[], kind: string) => fds.filter((fd) => fd === kind).length;

test.for(['rfc-migration-v2', 'rfc-migration-v1', 'series-v9'])(
  '%s: two real VMs while the TD moves, one afterwards, none at the end',
  async (kernelAbi, context) => {
    if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
    if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
    const plan = await helloPlan(kernelAbi);
    const seen = new Map<string, string[]>();
    const stage = realStage(await openSoftHost({ profile, kernelAbi }));
    const run = await rehearseOn(stage, {
      scenario: standardScenario({ plan, count: 1, hops: 1, checks: 'all' }),
      listener: ({ event }) => {
        if (event.event === 'state.entered') seen.set(event.state, kvmFds());
      },
    });
    expect(run.results.map(({ result, verdict }) => verdict ?? result)).toEqual([
      'done',
      'completed',
      'done',
    ]);
    const moving = seen.get('irrevocable.moving') ?? [];
    expect([count(moving, 'kvm-vm'), count(moving, 'kvm-vcpu')]).toEqual([2, 8]);
    const moved = seen.get('completed') ?? [];
    expect([count(moved, 'kvm-vm'), count(moved, 'kvm-vcpu')]).toEqual([1, 4]);
    expect(kvmFds()).toEqual([]);
  },
);
