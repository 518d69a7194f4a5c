/** An existing definition as a TrustDomain file, and what could not be taken over. */
import { basename } from 'node:path';
import { stringify } from 'yaml';
import { invalidFile } from '../../documents/invalid.ts';
import { nameFromFile } from '../../documents/name.ts';
import { TdctlError } from '../../errors/index.ts';
import { readTrustDomain } from '../../spec/index.ts';
import type { CommandSource } from './command/read-qemu.ts';
import { readQemu } from './command/read-qemu.ts';
import { readVmspawn } from './command/read-vmspawn.ts';
import { Draft, type NotTaken } from './draft.ts';
import { readLibvirt } from './libvirt/read-libvirt.ts';
import { parseXml } from './libvirt/xml.ts';
import { shellWords } from './shell-words.ts';

export interface Imported {
  /** A TrustDomain file. */
  readonly yaml: string;
  readonly name: string;
  readonly notTaken: readonly NotTaken[];
}

export interface ImportOptions extends CommandSource {
  /** Instead of the definition's own. */
  readonly name?: string | undefined;
}

/** Where distributions have a firmware that starts TDs. */
const usualFirmware = '/usr/share/ovmf/OVMF.fd';

/**
 * @param text an XML of libvirt, or a command of QEMU or systemd-vmspawn
 * @throws TdctlError TDCTL_E_SPEC_INVALID for what is neither.
 */
export function importText(text: string, options: ImportOptions): Imported {
  if (/^\s*</.test(text)) return importXml(text, options);
  const { words, unknown } = shellWords(text);
  return importWords(words, options, unknown);
}

function importXml(text: string, options: ImportOptions): Imported {
  const draft = new Draft();
  const root = parseXml(text, options.place);
  // `virsh snapshot-dumpxml` and the like have the domain inside.
  const domain = root.name === 'domain' ? root : root.child('domain');
  if (domain === undefined) {
    throw notOne(
      options.place,
      `its first element is <${root.name}>, and a definition is a <domain>`,
    );
  }
  readLibvirt(draft, domain);
  return finished(draft, options);
}

/** A command in words, the program first. */
export function importWords(
  words: readonly string[],
  options: ImportOptions,
  unknown: readonly string[] = [],
): Imported {
  const draft = new Draft();
  const at = words.findIndex(
    (word) =>
      /qemu-(system-\w+|kvm)$|^qemu$|\/kvm$|systemd-vmspawn$/.test(basename(word)) ||
      basename(word) === 'kvm',
  );
  const program = words[at];
  if (program === undefined) {
    throw notOne(options.place, 'no word of it is a QEMU, or systemd-vmspawn');
  }
  const rest = words.slice(at + 1);
  for (const each of unknown) {
    draft.leave(
      options.place,
      each,
      'only a shell knows what it stands for; write it out, and import that',
    );
  }
  if (basename(program) === 'systemd-vmspawn') readVmspawn(draft, rest, options);
  else {
    readQemu(draft, rest, options);
    draft.spec.qemu = { binary: program };
  }
  return finished(draft, options);
}

function notOne(place: string, problem: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read the definition',
    place,
    message: `this is no definition that can be imported: ${problem}`,
    hint: 'give the XML of a libvirt domain (virsh dumpxml --inactive NAME), or a command: tdctl import -- qemu-system-x86_64 …',
  });
}

function finished(draft: Draft, { place, name: given }: ImportOptions): Imported {
  const { spec } = draft;
  const needed = {
    vcpus: spec.vcpus ?? 1,
    memory: spec.memory ?? '2GiB',
    firmware: spec.firmware ?? usualFirmware,
  };
  if (!draft.isTd) {
    draft.leave(
      place,
      'an ordinary VM',
      'it does not ask for TDX; what is written is a TD of the same parts',
    );
  }
  if (spec.firmware === undefined) {
    draft.leave(
      place,
      'no firmware',
      `a TD starts with one; ${usualFirmware} is written, name yours`,
    );
  }
  if (spec.memory === undefined) draft.leave(place, 'no memory', '2GiB is written');
  const { boot, qemu, ...others } = spec;
  if (boot !== undefined && boot.kernel === undefined) {
    draft.leave(
      place,
      'an initrd or a command line without a kernel',
      'they are for one that is named',
    );
  }
  const name = given ?? draft.name ?? nameFromFile(basename(place));
  const { engine, disks, networks, vcpus: _, memory: __, firmware: ___, ...rest } = others;
  const document = {
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name },
    spec: {
      engine,
      ...needed,
      ...(boot?.kernel !== undefined && { boot: { cmdline: '', ...boot } }),
      ...(disks && { disks }),
      ...(networks && { networks }),
      ...rest,
      ...(qemu && { qemu }),
    },
  };
  return { yaml: valid(document, draft, place), name, notTaken: draft.notTaken };
}

/** What a file cannot say is left out of it, field by field, and told with the reason. */
function valid(document: object, draft: Draft, place: string): string {
  for (;;) {
    const yaml = stringify(document, { lineWidth: 0 });
    const reading = readTrustDomain(yaml, { path: 'td.yaml' });
    if ('trustDomain' in reading) return yaml;
    const [finding] = reading.findings;
    const value = finding && take(document, finding.field.split('.'));
    if (finding === undefined || value === undefined) throw invalidFile(reading, resultKind);
    draft.leave(place, `${finding.field}: ${JSON.stringify(value)}`, finding.problem);
  }
}

const resultKind = {
  path: 'td.yaml',
  kind: 'TrustDomain',
  help: 'the definition says something that no TD can have: import it without that, or name another with --name',
};

/** Takes a field out, or the nearest above it that may be missing. What must be there stays. */
function take(document: object, path: readonly string[]): unknown {
  const [last = ''] = path.slice(-1);
  if (path.length < 2 || ['vcpus', 'memory', 'firmware', 'name'].includes(last)) return undefined;
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
  const holder = parent as Record<string, unknown> | unknown[] | undefined;
  const value = (holder as Record<string, unknown> | undefined)?.[last];
  if (value === undefined) return path.length > 2 ? take(document, path.slice(0, -1)) : undefined;
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete (holder as Record<string, unknown>)[last];
  return value;
}
