/** The commands that open a host, as our kvm host plays them and as the simulated one does. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conclude } from '../../../src/cli/failure.ts';
import type { HostChoice } from '../../../src/cli/open-host.ts';
import { showPlan } from '../../../src/cli/plan/show-plan.ts';
import { refusedOutside } from '../../../src/cli/refused-outside.ts';
import { showHost } from '../../../src/cli/show-host.ts';
import { type FaultRecord, formatFault, injectorOf } from '../../../src/simulator/index.ts';
import { projectRoot } from '../../support/built.ts';
import { cli, terminal } from '../../support/cli.ts';
import type { Outcome } from './supervised.ts';

export interface OwnHostCommand {
  readonly name: string;
  /** What stands before `--host` and `--kernel`. */
  readonly args: (spec: string) => readonly string[];
  /** Whether it opens a host by `--host`; the others take what is there. */
  readonly takesHost: boolean;
  /** The same on the simulated host; undefined where that has no such command. */
  readonly simulated?: (asked: Simulated) => Promise<Outcome>;
  /** How often the simulated host makes a request before the first VM, so that calls can be counted alike. */
  readonly simulatedFirst: Readonly<Record<string, number>>;
  /** Requests that only the kvm host makes after that. */
  readonly more: Readonly<Record<string, number>>;
}

export interface Simulated {
  readonly spec: string;
  readonly kernel: string;
  readonly fault: FaultRecord | undefined;
}

/** These read this machine and its /dev/kvm. */
const whatIsThere = { takesHost: false, simulatedFirst: {}, more: {} } as const;
/** The kvm host reads the width of guest addresses off the CPUID. */
const readsCpuid = { KVM_GET_SUPPORTED_CPUID: 1 };

export const commands: readonly OwnHostCommand[] = [
  {
    name: 'run',
    args: (spec) => ['run', spec, '--until', 'runnable', '-o', 'json'],
    takesHost: true,
    simulated: onCommandLine('run', '--until', 'runnable', '-o', 'json'),
    simulatedFirst: { KVM_GET_API_VERSION: 1, KVM_CHECK_EXTENSION: 2 },
    more: {},
  },
  {
    name: 'rehearse',
    args: (spec) => ['rehearse', spec, '-o', 'json'],
    takesHost: true,
    // It reads the facts of the host on a machine of their own.
    simulated: onCommandLine('rehearse', '-o', 'json'),
    simulatedFirst: {},
    more: {},
  },
  {
    name: 'host',
    args: () => ['host', '-o', 'json'],
    takesHost: true,
    simulated: (asked) =>
      directly(asked, async (choice, io) => {
        await showHost({ ...choice, output: 'json' }, io);
        return 0;
      }),
    simulatedFirst: {},
    more: readsCpuid,
  },
  {
    name: 'plan',
    args: (spec) => ['plan', spec, '-o', 'json'],
    takesHost: true,
    simulated: (asked) =>
      directly(asked, (choice, io) =>
        showPlan({ ...choice, spec: asked.spec, typed: [], output: 'json' }, io),
      ),
    simulatedFirst: {},
    more: readsCpuid,
  },
  { name: 'doctor', args: () => ['doctor', '-o', 'json'], ...whatIsThere },
  { name: 'host capture', args: () => ['host', 'capture'], ...whatIsThere },
];

function onCommandLine(command: string, ...rest: readonly string[]) {
  return ({ spec, kernel, fault }: Simulated): Promise<Outcome> => {
    const faults = fault === undefined ? [] : ['--fault', formatFault(fault)];
    return cli([command, spec, ...rest, '--host', 'sim', '--kernel', kernel, ...faults]);
  };
}

/** Commands that have no --fault take one from here. */
async function directly(
  { kernel, fault }: Simulated,
  play: (choice: HostChoice, io: ReturnType<typeof terminal>['io']) => Promise<number>,
): Promise<Outcome> {
  const { io, written } = terminal();
  const faults = injectorOf(fault === undefined ? [] : [fault]);
  const ended = await play({ host: 'sim', kernel, faults }, io).then(
    (exitCode) => ({ exitCode }),
    (error: unknown) => ({ error: refusedOutside(error) }),
  );
  return { exitCode: await conclude(ended, { io, format: 'json' }), ...written };
}

/** examples/hello.yaml with as many vCPUs as any machine has CPUs for. */
export function smallSpec(directory: string): string {
  const text = readFileSync(join(projectRoot, 'examples/hello.yaml'), 'utf8')
    .replace('vcpus: 4', 'vcpus: 1')
    .replace('firmware: ', `firmware: ${projectRoot}/examples/`);
  const path = join(directory, 'small.yaml');
  writeFileSync(path, text);
  return path;
}
