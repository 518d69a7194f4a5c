/** What people type by habit of other programs: commands and options that tdctl has under another name. */

/** A word is understood where it can only mean one command here. The others are answered. */
export const understoodWords: Readonly<Record<string, readonly string[]>> = {
  version: ['--version'],
  '-v': ['--version'],
  capture: ['host', 'capture'],
  diff: ['host', 'diff'],
  ls: ['list'],
  get: ['list'],
  ps: ['list'],
  describe: ['show'],
  inspect: ['show'],
  status: ['show'],
  rm: ['delete'],
  undefine: ['delete'],
  destroy: ['kill'],
  down: ['stop'],
  shutdown: ['stop'],
  suspend: ['pause'],
  unpause: ['resume'],
  log: ['logs'],
  attach: ['console'],
};

interface Habit {
  readonly words: readonly string[];
  /** What to do instead, as a full sentence. */
  readonly answer: string;
}

const wordHabits: readonly Habit[] = [
  {
    words: ['validate', 'verify', 'check', 'test', 'dry-run', 'preview', 'simulate'],
    answer:
      '`tdctl plan SPEC` checks the file and says what stands against it; `tdctl rehearse SPEC` plays it with every fault',
  },
  {
    words: ['lint'],
    answer:
      '`tdctl trace lint FILE` judges the calls of a VMM; `tdctl plan SPEC` checks a TrustDomain file',
  },
  {
    words: ['up', 'launch', 'boot', 'provision', 'deploy'],
    answer:
      '`tdctl create SPEC --start` makes a TD that stays; `tdctl run SPEC` holds one in the foreground, until Ctrl-C',
  },
  {
    words: ['terminate'],
    answer: '`tdctl stop NAME` takes a TD down, `tdctl kill NAME` at once',
  },
  {
    words: ['top', 'info', 'stats'],
    answer: '`tdctl list --watch` shows the TDs as they are, `tdctl host` who holds key slots',
  },
  {
    words: ['view', 'limits', 'capabilities', 'domcapabilities'],
    answer:
      '`tdctl plan SPEC` describes a TD, `tdctl host` a host and its limits, `tdctl kernels NAME` a kernel, `tdctl graph MACHINE` a statechart',
  },
  {
    words: ['dmesg', 'journal'],
    answer:
      '`dmesg | tdctl explain` says what a kernel log means; `tdctl events NAME` has the journal of a TD',
  },
  {
    words: ['monitor', 'follow'],
    answer:
      '`tdctl events --all -f` follows the TDs that are kept; `tdctl watch SPEC` shows a run live',
  },
  {
    words: ['ssh', 'shell', 'connect', 'vnc'],
    answer:
      '`tdctl console NAME` attaches to the serial port of a TD, which is all the way in that there is',
  },
  {
    words: ['restart', 'reboot', 'reset'],
    answer: '`tdctl stop NAME --wait` ends a TD, and `tdctl start NAME` begins a new life of it',
  },
  {
    words: ['save', 'restore', 'edit', 'snapshot'],
    answer: 'no TD can do that once it is built',
  },
  {
    words: ['clean', 'cleanup', 'gc'],
    answer: '`tdctl prune` deletes what TDs that are over have left',
  },
  {
    words: ['move', 'live-migrate', 'handover'],
    answer:
      '`tdctl migrate NAME` moves a TD to another keeper on its host, and `tdctl rehearse SPEC --kernel rfc-migration-v2` plays it',
  },
  {
    words: ['new', 'template', 'generate', 'define'],
    answer: '`tdctl init td.yaml` writes a commented TrustDomain file',
  },
  {
    words: ['schema'],
    answer:
      'the schemas are in the directory schema/ of the package, and docs/spec.md tells of them',
  },
  {
    words: ['config', 'configure', 'login', 'update', 'upgrade', 'install'],
    answer: 'tdctl has no settings: all it knows is in the file and the options of a command',
  },
  {
    words: ['attest', 'quote', 'report', 'measurement', 'mrtd'],
    answer: '`tdctl measure FIRMWARE` predicts the MRTD of a TD; tdctl makes no quotes',
  },
  {
    words: ['capacity', 'room'],
    answer:
      '`tdctl fit SPEC --hosts …` says which hosts can take a TD; `tdctl host` shows key slots',
  },
  {
    words: ['faults', 'chaos', 'fuzz'],
    answer: '`tdctl rehearse SPEC --faults each` plays a TD with a fault at every step',
  },
  {
    words: ['diagram', 'chart', 'draw', 'visualize', 'states'],
    answer: '`tdctl graph MACHINE -o FILE.svg` draws a statechart; `tdctl graph` lists them',
  },
  {
    words: ['diagnose', 'troubleshoot', 'setup', 'probe'],
    answer: '`tdctl doctor` says what keeps this machine from running TDs',
  },
  {
    words: ['strace', 'record'],
    answer:
      '`tdctl exec --trace FILE -- COMMAND` records the calls of a VMM, `tdctl run --trace FILE` those of tdctl',
  },
];

/** @returns what to do instead, for a word that is no command here */
export function answerToWord(word: string): string | undefined {
  return wordHabits.find(({ words }) => words.includes(word.toLowerCase()))?.answer;
}

interface OptionHabit {
  readonly flags: readonly string[];
  /** The answer holds for commands that have this option, or take such an argument. */
  readonly where?: { readonly option?: string; readonly argument?: string };
  readonly answer: string;
}

const file = 'the file is an argument: `tdctl COMMAND FILE`';
const optionHabits: readonly OptionHabit[] = [
  { flags: ['--json'], where: { option: '--output' }, answer: 'that is `-o json`' },
  { flags: ['--yaml'], where: { option: '--output' }, answer: 'that is `-o yaml`' },
  { flags: ['--format', '--out'], where: { option: '--output' }, answer: 'that is `-o FORMAT`' },
  { flags: ['--output'], where: { option: '--out' }, answer: 'that is `-o FILE`, or `--format`' },
  {
    flags: ['--dry-run', '-n'],
    answer: '`tdctl plan SPEC` says what would be done, and does not do it',
  },
  {
    flags: ['--yes', '-y', '--assume-yes'],
    answer: 'tdctl never asks, so nothing is to be confirmed',
  },
  {
    flags: ['-f', '--file', '--filename', '--spec', '--config'],
    where: { argument: 'spec' },
    answer: file,
  },
  { flags: ['-f', '--file', '--filename'], where: { argument: 'file' }, answer: file },
  {
    flags: ['-v', '--verbose', '--debug'],
    where: { option: '--log-level' },
    answer: 'that is `--log-level debug`',
  },
  { flags: ['--version', '-V'], answer: 'the version is that of the whole: `tdctl --version`' },
  { flags: ['--no-color', '--no-colour'], answer: 'the variable NO_COLOR=1 turns colours off' },
  { flags: ['--color', '--colour'], answer: 'the variable FORCE_COLOR=1 turns colours on' },
  {
    flags: ['--smp', '--cpus', '--vcpus', '--memory', '-m', '--firmware', '--name'],
    where: { argument: 'spec' },
    answer: 'a TD is what its file says: change it there',
  },
  { flags: ['--profile'], where: { option: '--host' }, answer: 'that is `--host sim:PROFILE`' },
  { flags: ['--simulate', '--sim'], where: { option: '--host' }, answer: 'that is `--host sim`' },
  {
    flags: ['--wait', '--timeout', '--detach', '-d'],
    answer:
      '`tdctl create SPEC` makes a TD that stays, and `tdctl wait NAME --for STATE` waits for one',
  },
];

/** What of a command an answer may depend on. */
export interface Asked {
  readonly options: readonly { readonly long?: string | undefined }[];
  readonly registeredArguments: readonly { name(): string }[];
}

/** @returns what to do instead, for an option that the command does not have */
export function answerToOption(flag: string, command: Asked): string | undefined {
  const [name = ''] = flag.split('=');
  return optionHabits.find(
    ({ flags, where: { option, argument } = {} }) =>
      flags.includes(name) &&
      (option === undefined || command.options.some(({ long }) => long === option)) &&
      (argument === undefined ||
        command.registeredArguments.some((declared) => declared.name() === argument)),
  )?.answer;
}
