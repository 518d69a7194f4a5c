/** The unit that a keeper is of: what systemd is asked for, as data, for systemd-run and for the unit file. */

export interface UnitOptions {
  readonly name: string;
  /** Of the system, or of the user who asks. */
  readonly manager: 'system' | 'user';
  readonly command: readonly string[];
  /** What the process reads on its standard input. */
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
  /** The most memory that the TD and its keeper take, where the host counts it for each cgroup. */
  readonly memoryMaxBytes: number | undefined;
  /** The threads: one for each vCPU, and those of the keeper. */
  readonly tasksMax: number;
}

type Property = readonly [name: string, value: string];

/** The same for every keeper, and why. */
export const keeperProperties: readonly Property[] = [
  ['Type', 'notify'],
  // The keeper itself tells, or systemd-notify for it.
  ['NotifyAccess', 'all'],
  // SIGTERM is for the keeper, which takes its TD down; what it has started ends with it.
  ['KillMode', 'mixed'],
  // A TD in the queue waits as long as it takes, and a teardown of terabytes takes hours: SIGKILL would help neither.
  ['TimeoutStartSec', 'infinity'],
  ['TimeoutStopSec', 'infinity'],
  // The kernel takes down what a dead keeper has held: the unit is over only then.
  ['ExitType', 'cgroup'],
  // A TD cannot be started again where it was: whoever wants it back makes another.
  ['Restart', 'no'],
  // 143 is an end by SIGTERM, which was asked for.
  ['SuccessExitStatus', '130 143'],
  ['WorkingDirectory', '/'],
  ['UMask', '0077'],
];

/** Of the system manager alone: users may not be spared before others. */
const systemProperties: readonly Property[] = [['OOMScoreAdjust', '-900']];

export function unitName(name: string): string {
  return `tdctl-td-${name}.service`;
}

/** All that systemd is asked for, in the order in which it is given. */
export function unitProperties(options: UnitOptions): readonly Property[] {
  const { manager, input, memoryMaxBytes, tasksMax } = options;
  return [
    ...keeperProperties,
    ...(manager === 'system' ? systemProperties : []),
    ['TasksMax', String(tasksMax)],
    // The keeper writes the limit of key slots into its own cgroup, where there is one (limits.ts).
    ['Delegate', 'yes'],
    ...(memoryMaxBytes === undefined ? [] : ([['MemoryMax', String(memoryMaxBytes)]] as const)),
    ['StandardInput', 'data'],
    ['StandardInputData', Buffer.from(input).toString('base64')],
  ];
}

/** The arguments of systemd-run(1), which waits until the keeper is ready, or has ended. */
export function systemdRunArguments(options: UnitOptions): string[] {
  const { name, manager, command, env } = options;
  return [
    ...(manager === 'user' ? ['--user'] : []),
    `--unit=${unitName(name)}`,
    `--description=TD ${name}, kept by tdctl`,
    '--quiet',
    // A keeper that failed leaves no unit behind: its directory says why.
    '--collect',
    ...unitProperties(options).map(([property, value]) => `--property=${property}=${value}`),
    ...Object.entries(env).map(([variable, value]) => `--setenv=${variable}=${value}`),
    '--',
    ...command,
  ];
}
