/**
 * Takes off a line what loggers put around a message, layer by layer: a journal as JSON holds a line
 * of the kernel, which has a time stamp of its own. Host names, units and times are no part of a message.
 */

export interface LogLine {
  /** What the line says; more than one text where a message of JSON has ends of lines in it. */
  readonly texts: readonly string[];
  /** Something was taken off: the line begins an entry of the log. */
  readonly hasPrefix: boolean;
  /** The time stamp of the kernel: seconds since it started. */
  readonly kernelSeconds: number | undefined;
  /** The entry goes on in the next line, as containerd marks it. */
  readonly isPartial: boolean;
  /** It stands in the log as it is said: no JSON, no colours, nothing but ASCII. */
  readonly isPlain: boolean;
}

/** What is looked at of one line. */
const MAX_LINE_CHARS = 16_384;

/** No log has more layers around a message. */
const MAX_LAYERS = 8;

const isoTime = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?`;
const levels = 'trace|debug|info|notice|warn|warning|error|err|fatal|crit|critical|alert|emerg';
const hostAndUnit = String.raw`[\w.-]+ [\w.@\\/:-]+(?:\[\d+\])?: `;

/** What may begin a line. `kernel` is a group where there is the kernel's own time. */
const prefixes: readonly RegExp[] = [
  /^<\d{1,3}>(?:1 )?/, // printk level (dmesg -r), RFC 3164 and 5424
  /^\[\s{0,12}(?<kernel>\d+\.\d+)\]\s{0,4}/, // dmesg
  /^\[\s{0,8}[TC]\d+\]\s{0,4}/, // CONFIG_PRINTK_CALLER
  /^\[\w{3} \w{3}\s{1,2}\d{1,2} [\d:]{8} \d{4}\]\s{0,4}/, // dmesg -T
  /^kern\s{0,4}:\w{3,7}\s{0,4}:\s/, // dmesg -x
  new RegExp(`^${isoTime} (?:stdout|stderr) [FP] `), // CRI: containerd, cri-o
  new RegExp(String.raw`^${isoTime} [\w.-]+ \S+ (?:\d+|-) \S+ (?:-|\[[^\]]*\]) `), // RFC 5424
  new RegExp(`^${isoTime} ${hostAndUnit}`), // journalctl -o short-iso
  new RegExp(String.raw`^${isoTime}: \d+: (?:${levels}) ?: (?:\w+:\d+ : )?`, 'i'), // libvirt
  new RegExp(String.raw`^\[?${isoTime}\]?:?\s{1,4}`), // QEMU, dmesg --time-format=iso
  new RegExp(String.raw`^\p{L}{3,5}\.?\s{1,2}\d{1,2} [\d:]{8}(?:\.\d+)? ${hostAndUnit}`, 'u'), // syslog, journalctl
  /^[\w.-]+ kernel: /, // what is left of it behind an ISO time
  /^[IWEF]\d{4} [\d:.]{8,15}\s+\d+ [\w.-]+:\d+\] /, // klog: kubelet
  new RegExp(String.raw`^\[(?:${levels})\]:? `, 'i'), // PCCS
];

/** A line is looked at from those around it too. */
const recent = new Map<string, LogLine>();
const MAX_RECENT = 512;

export function readLine(raw: string): LogLine {
  const known = recent.get(raw);
  if (known !== undefined) return known;
  if (recent.size >= MAX_RECENT) recent.clear();
  const line = read(raw.slice(0, MAX_LINE_CHARS));
  recent.set(raw, line);
  return line;
}

function read(raw: string): LogLine {
  let texts = [clean(raw)];
  let hasPrefix = false;
  let kernelSeconds: number | undefined;
  let isPartial = false;
  let isPlain = !notPlain.test(raw);
  for (let layer = 0; layer < MAX_LAYERS; layer += 1) {
    const [text = ''] = texts;
    const inside = structuredMessage(text);
    if (inside !== undefined) {
      isPlain = false;
      texts = inside
        .split(/\r\n|\n|\r/)
        .map(clean)
        .filter((part) => part !== '');
      hasPrefix = true;
      continue;
    }
    const match = matchPrefix(text);
    if (match === undefined) break;
    isPartial ||= / P $/.test(match[0]);
    kernelSeconds ??= match.groups?.kernel === undefined ? undefined : Number(match.groups.kernel);
    hasPrefix = true;
    texts = [text.slice(match[0].length).trimStart(), ...texts.slice(1)];
  }
  return { texts, hasPrefix, kernelSeconds, isPartial, isPlain };
}

function matchPrefix(text: string): RegExpExecArray | undefined {
  for (const prefix of prefixes) {
    const match = prefix.exec(text);
    if (match !== null) return match;
  }
  return undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const escapes = /\u001b\[[0-?]{0,24}[ -/]{0,4}[@-~]|\u001b[@-Z\\-_]|\u009b[0-?]{0,24}[@-~]/g;
const invisible = /[\u200b-\u200d\u2060\ufeff\u00ad]/g;
const quotation = /^(?:>\s?){1,9}/;

const notPlain = /[^\t -~]/;

/** Without colours, odd spaces and quotes, and marks of a quotation in a mail. */
function clean(text: string): string {
  // Most lines are plain: looking is cheaper than replacing.
  const plain = notPlain.test(text)
    ? text
        .replace(escapes, '')
        .replace(invisible, '')
        .replace(/[\u2018\u2019]/g, "'")
        .replace(/[\u201c\u201d\u201e]/g, '"')
    : text;
  return plain.trim().replace(quotation, '').trim();
}

/** The message in a line of JSON, of `key=value`, or of `journalctl -o export`. */
function structuredMessage(text: string): string | undefined {
  if (text.startsWith('{')) return ofJson(text);
  const pretty = /^"?(?:MESSAGE|message|msg|log)"?\s?[:=]\s?"(.*)",?$/.exec(text);
  if (pretty) return unescaped(pretty[1] ?? '');
  if (text.startsWith('MESSAGE=')) return text.slice('MESSAGE='.length);
  return ofKeyValues(text);
}

/** Where programs keep what they say, and what more they say of it. */
const messageKeys = ['MESSAGE', 'message', 'msg', 'log', 'Message'] as const;
const errorKeys = ['error', 'err', 'reason', 'subsystem-error'] as const;

function ofJson(text: string): string | undefined {
  const values = jsonObject(text);
  if (values === undefined) return ofBrokenJson(text);
  const said = [...messageKeys, ...errorKeys].flatMap((key) => textOf(values[key]) ?? []);
  return said.length === 0 ? undefined : said.join(': ');
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** journalctl writes a message with control characters as an array of bytes. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.some((byte) => typeof byte !== 'number')) return undefined;
  return Buffer.from(value).toString('utf8');
}

/** A line of JSON that was cut off, or has more behind it. */
function ofBrokenJson(text: string): string | undefined {
  const match = /"(?:MESSAGE|message|msg|log)"\s?:\s?"((?:[^"\\]|\\.)*)/.exec(text);
  return match === null ? undefined : unescaped(match[1] ?? '');
}

// logrus, as containerd and kata-runtime write it: time="…" level=error msg="…" error="…"
function ofKeyValues(text: string): string | undefined {
  if (!/(?:^|\s)(?:level|time)=\S/.test(text)) return undefined;
  const values = [...text.matchAll(/(?:^|\s)(msg|error|err)=(?:"((?:[^"\\]|\\.)*)"?|(\S+))/g)];
  if (values.length === 0) return undefined;
  return values
    .map(([, , quoted, bare]) => (quoted === undefined ? bare : unescaped(quoted)))
    .join(': ');
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text.replaceAll('\\"', '"').replaceAll('\\n', '\n');
  }
}
