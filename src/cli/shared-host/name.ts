/** `--host on:NAME`. Most commands ask whether it is one, and few then reach it. */

const prefix = 'on:';

/** @returns undefined where it is no shared host. */
export function sharedHostName(host: string): string | undefined {
  return host.startsWith(prefix) ? host.slice(prefix.length) : undefined;
}

/** What `--host` names a shared host by. */
export function onSharedHost(name: string): string {
  return `${prefix}${name}`;
}
