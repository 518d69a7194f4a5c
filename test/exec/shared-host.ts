/** Shared hosts as tests have them: real processes, and programs that come by both doors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { builtMain } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import { startTdctl, type TdctlOptions } from '../support/tdctl.ts';

export interface Shown {
  readonly state: string;
  readonly server: { readonly pid: number };
  readonly keySlots: { readonly used: number; readonly total: number };
  readonly programs: readonly {
    readonly process: number;
    readonly pid: number;
    readonly command: readonly string[] | null;
    readonly calls: number;
  }[];
}

/** Guests that go on until their program ends. */
const runsOn = `
apiVersion: tdctl.io/v1alpha1
kind: RunScript
metadata: { name: on }
spec:
  vcpus: [{ ids: others, steps: [{ hold: true }] }]
`;

const machine = (slots: number) => `
apiVersion: tdctl.io/v1alpha1
kind: SimulatedHost
metadata: { name: few-slots }
spec:
  from: spr-1.5
  platform: { keyIds: { mktme: ${63 - slots}, tdxPrivate: ${slots + 1} } }
`;

let hosts = 0;

/** One that is there until the test is over. */
export async function sharedHost({ slots = 2, args = [] as readonly string[] } = {}) {
  builtMain();
  const name = `lab-${++hosts}`;
  const directory = mkdtempSync(join(tmpdir(), 'tdctl-on-'));
  const [file, script] = [join(directory, 'host.yaml'), join(directory, 'runs-on.yaml')];
  writeFileSync(file, machine(slots));
  writeFileSync(script, runsOn);
  const start = async () => {
    const { exitCode, stderr } = await cli(['host', 'start', name, '--host', file, ...args]);
    if (exitCode !== 0) throw new Error(stderr);
  };
  await start();
  const show = async (): Promise<Shown> =>
    JSON.parse((await cli(['host', 'show', name, '-o', 'json'])).stdout);
  onTestFinished(async () => {
    await cli(['host', 'stop', name, '--now']);
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    ...{ name, directory, script, show, start },
    /** The test's own timeout is the bound. */
    async until(condition: (shown: Shown) => boolean): Promise<Shown> {
      for (;;) {
        const shown = await show();
        if (condition(shown)) return shown;
      }
    },
    exec: (command: readonly string[], options: readonly string[] = [], as: TdctlOptions = {}) =>
      startTdctl(['exec', '--on', name, ...options, '--', ...command], as),
  };
}
