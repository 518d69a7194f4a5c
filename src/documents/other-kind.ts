/** What kind of file a text is, by what it says of itself, so that a wrong one is told by its name and its command. */
import { TdctlError } from '../errors/index.ts';
import { pathInWords } from './path-in-words.ts';
import { shellWord } from './shell-word.ts';
import { oneOf } from './wording.ts';

interface KindOfFile {
  /** As readers of such files call it. */
  readonly kind: string;
  /** With its article: `a Rehearsal file`. */
  readonly called: string;
  readonly begins: RegExp;
  /** The command that takes it. */
  readonly command: (file: string) => string;
}

/** The first such key of YAML or JSON; that of a map deeper down has spaces before it, or comes later. */
const saysKind = (kind: string) =>
  new RegExp(
    `^(?:\\s*\\{\\s*)?["']?kind["']?\\s*:\\s*["']?${kind}\\b|^\\{[^{}]*"kind"\\s*:\\s*"${kind}"`,
    'm',
  );

const kinds: readonly KindOfFile[] = [
  {
    kind: 'TrustDomain',
    called: 'a TrustDomain file',
    begins: saysKind('TrustDomain'),
    command: (file) => `tdctl plan ${file}`,
  },
  {
    kind: 'Rehearsal',
    called: 'a Rehearsal file',
    begins: saysKind('Rehearsal'),
    command: (file) => `tdctl rehearse ${file}`,
  },
  {
    kind: 'SimulatedHost',
    called: 'a SimulatedHost file',
    begins: saysKind('SimulatedHost'),
    command: (file) => `tdctl host --host sim:${file}`,
  },
  {
    kind: 'Fleet',
    called: 'a Fleet file',
    begins: saysKind('Fleet'),
    command: (file) => `tdctl footprint --fleet ${file}`,
  },
  {
    kind: 'RunScript',
    called: 'a RunScript file',
    begins: saysKind('RunScript'),
    command: (file) => `tdctl exec --run ${file} -- COMMAND`,
  },
  {
    kind: 'capture',
    called: 'the capture of a host',
    begins: saysKind('tdctl\\.HostCapture'),
    command: (file) => `tdctl doctor --root ${file}`,
  },
  {
    kind: 'saved plan',
    called: 'a saved plan',
    begins: saysKind('tdctl\\.io/plan'),
    command: (file) => `tdctl run --plan ${file}`,
  },
  {
    kind: 'trace',
    called: 'a trace',
    begins: /^(?:# tdctl trace \d|\{"kind":"header")/,
    command: (file) => `tdctl trace lint ${file}`,
  },
  {
    kind: 'recorded run',
    called: 'a recorded run',
    begins: /^\{"kind":"tdctl\.Run"/,
    command: (file) => `tdctl graph td-lifecycle --coverage ${file}`,
  },
];

/** What a file says of its kind stands near its beginning. */
const looked = 64 * 1024;

/**
 * @param wanted the kinds that the reader takes, as it calls them
 * @throws TdctlError TDCTL_E_SPEC_INVALID where the text says that it is of another kind. What says nothing passes.
 */
export function refuseOtherKind(text: string, path: string, wanted: readonly string[]): void {
  const start = text.slice(0, looked).replace(/^\uFEFF/, '');
  const found = kinds.filter(({ begins }) => begins.test(start));
  const [other] = found;
  if (other === undefined || found.some(({ kind }) => wanted.includes(kind))) return;
  throw new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: `read the ${wanted[0]} file`,
    place: pathInWords(path),
    message: `this is ${other.called}, and ${oneOf(wanted.map(calledOf))} is needed here`,
    hint: `the command for it is: ${other.command(shellWord(path))}`,
  });
}

function calledOf(kind: string): string {
  return kinds.find((each) => each.kind === kind)?.called ?? `a ${kind}`;
}
