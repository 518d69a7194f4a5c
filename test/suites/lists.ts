/** What the repository says of each suite: `lists/`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AgreementList {
  readonly title: string;
  readonly agrees: readonly string[];
  /** By case: why it does not agree, or tells nothing. */
  readonly otherwise: Readonly<Record<string, string>>;
}

/** In the order of the table that docs/simulator.md has of them. */
export const suites = [
  'kvm-selftests',
  'kvm-ioctls',
  'qemu-ordinary-vms',
  'qemu-tds',
  'plain-vm',
] as const;
export type Suite = (typeof suites)[number];

const fileOf = (suite: Suite) => join(import.meta.dirname, 'lists', `${suite}.json`);

export function readList(suite: Suite): AgreementList {
  return JSON.parse(readFileSync(fileOf(suite), 'utf8')) as AgreementList;
}

export function writeList(suite: Suite, list: AgreementList): void {
  writeFileSync(fileOf(suite), `${JSON.stringify(list, null, 2)}\n`);
}
