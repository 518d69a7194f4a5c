/** What every report says of the host it speaks of: its name, and whether it is this machine or a simulated one. */
import type { HostFacts, HostKind } from './facts.ts';

export interface HostIdentity {
  /** The host as `--host` would name it. */
  readonly name: string;
  /** Whether anything of it is simulated; of `soft` that is the TDX module. */
  readonly simulated: boolean;
}

export function hostIdentity({ name, kind }: Pick<HostFacts, 'name' | 'kind'>): HostIdentity {
  return { name, simulated: kind !== 'kvm' };
}

const shared = 'on:';

/** The shared host of this name, as `--host` names it. */
export function sharedHost(name: string): string {
  return `${shared}${name}`;
}

/** What the shared host is called that `--host` names so; undefined where it is another kind of host. */
export function sharedHostName(name: string): string | undefined {
  return name.startsWith(shared) ? name.slice(shared.length) : undefined;
}

/** By the word that its name begins with. */
const kinds: Readonly<Record<HostKind | 'on', string>> = {
  kvm: 'this machine',
  soft: 'this machine with a simulated TDX module',
  sim: 'a simulated host',
  on: 'a simulated host that programs share',
};

/** Words that follow the name of a host: `sim:spr-1.5, a simulated host`. */
export function kindInWords({ name }: Pick<HostIdentity, 'name'>): string {
  return kinds[name.split(':')[0] as keyof typeof kinds];
}
