/** A command of systemd-vmspawn as a draft: the same machine, said in other words. */
import { nameFromFile } from '../../../documents/name.ts';
import { type Draft, noField } from '../draft.ts';
import { memory } from './machine.ts';
import type { Reading } from './parts.ts';
import type { CommandSource } from './read-qemu.ts';

type Take = (draft: Draft, value: string, absolute: (path: string) => string) => string | undefined;

const short: Readonly<Record<string, string>> = {
  i: 'image',
  D: 'directory',
  M: 'machine',
  n: 'network-tap',
  C: 'ephemeral',
  q: 'quiet',
};

/** Without a value of its own, in one word or two. */
const flags =
  /^(network-tap|network-user-mode|quiet|ephemeral|no-pager|keep-unit|help|version|system|user)$/;

/** They give why something was not taken over. */
const takers: Readonly<Record<string, Take>> = {
  image: (draft, value, absolute) => {
    draft.disk({ path: absolute(value), ...(value.endsWith('.qcow2') && { format: 'qcow2' }) });
    return undefined;
  },
  'image-format': () => 'say it with spec.disks[].format',
  directory: () => 'a directory as the root of the guest needs virtiofs, which has no field',
  machine: (draft, value) => {
    draft.name = nameFromFile(`${value}.`);
    return undefined;
  },
  cpus: (draft, value) => {
    draft.spec.vcpus = Number(value);
    return undefined;
  },
  ram: (draft, value) => {
    memory({ draft, place: '' } as Reading, value, value);
    return undefined;
  },
  linux: (draft, value, absolute) => {
    draft.spec.boot = { ...draft.spec.boot, kernel: absolute(value) };
    return undefined;
  },
  initrd: (draft, value, absolute) => {
    draft.spec.boot = { ...draft.spec.boot, initrd: absolute(value) };
    return undefined;
  },
  firmware: (draft, value, absolute) => {
    if (value.endsWith('.json'))
      return 'it describes a firmware; name the image with spec.firmware';
    draft.spec.firmware = absolute(value);
    return undefined;
  },
  'network-user-mode': (draft) => {
    draft.network({ user: {} });
    return undefined;
  },
  'network-tap': (draft) => {
    draft.network({ tap: `vt-${(draft.name ?? 'td').slice(0, 12)}` });
    return 'systemd makes the tap and its name; it is taken over as vt-NAME, and has to be made: ip tuntap add';
  },
  vsock: (draft, value) => {
    if (value !== 'no' && value !== 'false') draft.spec.vsock ??= 'auto';
    return undefined;
  },
  'vsock-cid': (draft, value) => {
    draft.spec.vsock = Number(value);
    return undefined;
  },
  coco: (draft, value) => {
    draft.isTd = value === 'tdx';
    return draft.isTd ? undefined : `it asks for ${value}; what is written is a TD`;
  },
  'extra-drive': (draft, value, absolute) => {
    draft.disk({ path: absolute(value), ...(value.endsWith('.qcow2') && { format: 'qcow2' }) });
    return undefined;
  },
};

/** What says nothing of the TD. */
const silent =
  /^(kvm|quiet|console|no-pager|keep-unit|slice|property|register|system|user|background|notify-ready|secure-boot|discard-disk|qemu-gui|grow-image|tpm)$/;

export function readVmspawn(draft: Draft, words: readonly string[], source: CommandSource): void {
  const absolute = (path: string) => (path.startsWith('/') ? path : `${source.directory}/${path}`);
  const cmdline: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const match = /^(?:--([a-z-]+)|-([A-Za-z]))(?:=(.*))?$/s.exec(word);
    if (match === null) {
      cmdline.push(word);
      continue;
    }
    const [, long, letter = '', given] = match;
    const name = long ?? short[letter] ?? letter;
    const value = given ?? (flags.test(name) ? '' : (words[++at] ?? ''));
    const whole = value === '' ? `--${name}` : `--${name}=${value}`;
    const take = Object.hasOwn(takers, name) ? takers[name] : undefined;
    if (take === undefined && silent.test(name)) continue;
    const why = take === undefined ? noField : take(draft, value, absolute);
    if (why !== undefined) draft.leave(source.place, whole, why);
  }
  if (cmdline.length === 0) return;
  if (draft.spec.boot === undefined)
    draft.leave(
      source.place,
      cmdline.join(' '),
      'it is for the kernel, which the disk brings along',
    );
  else draft.spec.boot = { ...draft.spec.boot, cmdline: cmdline.join(' ') };
}
