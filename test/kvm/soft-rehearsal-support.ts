/** Rehearsals on `soft` of the example guest, and what they leave in this process. */
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { planTd } from '../../src/plan/index.ts';
import { askHost } from '../../src/plan/judge/index.ts';
import {
  openStage,
  type RehearsalHooks,
  rehearseSimulated,
  type Scenario,
  standardScenario,
} from '../../src/rehearsal/index.ts';
import { openFds } from '../native/support.ts';
import { fault } from '../rehearsal/play.ts';
import { firmware, profile, spec } from '../support/hello-plan.ts';
import { vcpuThreads } from './guest-support.ts';

export const place = { kind: 'soft', profile, kernelAbi: 'rfc-migration-v2' } as const;

export function skipWithoutKvm(context: TestContext): void {
  if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
  if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
}

interface Playing {
  readonly vcpus?: number;
  readonly hops?: number;
  readonly faults?: readonly string[];
  readonly hooks?: RehearsalHooks;
}

export async function softScenario({ vcpus = 2, hops = 1 }: Playing = {}): Promise<Scenario> {
  const { host, close } = await openStage(place);
  const td = { ...spec, vcpus, maxVcpus: vcpus };
  const plan = planTd({ spec: td, firmware, host: await askHost(host) });
  await close();
  return standardScenario({ plan, count: 1, hops, checks: 'all' });
}

export async function playSoft(playing: Playing) {
  const { faults = [], hooks } = playing;
  return rehearseSimulated(place, {
    scenario: await softScenario(playing),
    faults: faults.map(fault),
    hooks,
    // Other vCPUs have counted by then, on a machine with too much to do as well.
    guestPatience: { looks: 40 },
  });
}

/** What of KVM there is in this process: files, threads of vCPUs, memory of guests. */
export function held() {
  const files = [...openFds().values()].filter((name) => /kvm|memfd/.test(name));
  const mapped = readFileSync('/proc/self/maps', 'utf8').match(/.*(memfd|kvm).*/g);
  return { files, threads: vcpuThreads(), mapped: mapped ?? [] };
}
