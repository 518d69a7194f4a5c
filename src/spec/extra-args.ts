/** `spec.qemu.extraArgs`: words for QEMU that must not take back what tdctl says. */
import { type Parsed, type Problem, refused } from '../documents/parsed.ts';
import { describeValue, quote } from '../documents/wording.ts';

const machine = 'the machine with the TD in it is what tdctl makes';
const ends = 'how QEMU ends is what the keeper of the TD goes by';
const measured = 'what is measured is named by a field of its own';
const held = 'when QEMU begins is the word of the keeper';
const monitor = 'the monitor and the terminal are the keeper’s';
const noVm = 'QEMU would not run a TD at all';

/** Options that say again, or take back, what tdctl says; and the field to use where there is one. */
const refusedOptions: Readonly<Record<string, string>> = {
  machine,
  M: machine,
  accel: machine,
  'enable-kvm': machine,
  readconfig: machine,
  cpu: `${machine}; spec.tsc and spec.gpaw are its fields`,
  smp: `${machine}; spec.vcpus is its field`,
  m: `${machine}; spec.memory is its field`,
  'mem-path': `${machine}; spec.memory is its field`,
  'mem-prealloc': `${machine}; spec.memory is its field`,
  'no-hpet': machine,
  'no-acpi': machine,
  bios: `${measured}: spec.firmware`,
  pflash: `${measured}: spec.firmware (a TD has no flash)`,
  kernel: `${measured}: spec.boot.kernel`,
  initrd: `${measured}: spec.boot.initrd`,
  append: `${measured}: spec.boot.cmdline`,
  shim: `${measured}: spec.boot`,
  action: `${ends}: spec.onReboot and spec.onPanic`,
  'no-reboot': `${ends}: spec.onReboot`,
  'no-shutdown': ends,
  'watchdog-action': ends,
  daemonize: `${ends}, and it looks at the process that it started`,
  preconfig: held,
  S: held,
  incoming: `${held}, and a TD of QEMU does not migrate`,
  loadvm: `${held}, and the state of a TD cannot be read`,
  snapshot: 'disks are opened by tdctl: spec.disks',
  'add-fd': 'the numbers of files are those of tdctl',
  set: 'it would change the devices that tdctl makes',
  global: 'it would change the devices that tdctl makes',
  nodefaults: 'tdctl says it already',
  name: 'metadata.name is its field',
  uuid: 'the keeper knows its QEMU by it',
  qmp: monitor,
  'qmp-pretty': monitor,
  mon: monitor,
  monitor,
  serial: `${monitor}: spec.console`,
  nographic: `${monitor}: spec.console`,
  stdio: monitor,
  version: noVm,
  help: noVm,
  h: noVm,
};

/** Of an option that adds to the machine, the values that would change what is tdctl's. */
const refusedValues: readonly {
  readonly option: string;
  readonly value: RegExp;
  readonly why: string;
}[] = [
  {
    option: 'object',
    value: /tdx-guest|sev-guest|sev-snp-guest|"?id"?[=:]\s*"?(td|ram)"?\s*([,}]|$)/,
    why: 'the TD and its memory are what tdctl makes',
  },
  {
    option: 'drive',
    value: /(^|,)if=pflash(,|$)/,
    why: `${measured}: spec.firmware (a TD has no flash)`,
  },
  {
    option: 'run-with',
    value: /exit-with-parent/,
    why: 'QEMU outlives a keeper that dies, and goes on with the next',
  },
  { option: '*', value: /(^|,)help$|^\?$/, why: noVm },
];

export function parseExtraArgs(value: unknown): Parsed<readonly string[]> {
  if (!Array.isArray(value)) {
    return refused(`must be a list of words; this is ${describeValue(value)}`);
  }
  let option: string | undefined;
  const problems = value.flatMap((word: unknown, item): Problem[] => {
    if (typeof word !== 'string') {
      return [{ item, text: `must be text; this is ${describeValue(word)}` }];
    }
    const named = optionOf(word);
    const text = named === undefined ? problemOfValue(word, option) : problemOfOption(named);
    option = named;
    return text === undefined ? [] : [{ item, text }];
  });
  if (problems.length > 0) return { problems };
  return { value: value as string[] };
}

/** QEMU takes one dash or two (system/vl.c, lookup_opt). */
function optionOf(word: string): string | undefined {
  return /^--?([A-Za-z0-9][\w-]*)$/.exec(word)?.[1];
}

function problemOfOption(option: string): string | undefined {
  const why = Object.hasOwn(refusedOptions, option) ? refusedOptions[option] : undefined;
  return why === undefined ? undefined : `-${option} contradicts what tdctl sets: ${why}`;
}

function problemOfValue(word: string, option: string | undefined): string | undefined {
  if (word.includes('\0')) return 'must not contain a NUL character';
  if (option === undefined) {
    return `${quote(word)} follows no option, and QEMU would take it for a disk; disks are spec.disks`;
  }
  const row = refusedValues.find(
    (each) => (each.option === '*' || each.option === option) && each.value.test(word),
  );
  return row && `-${option} ${quote(word)} contradicts what tdctl sets: ${row.why}`;
}
