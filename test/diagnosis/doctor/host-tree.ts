/**
 * Hosts under test/fixtures/hosts/, laid out as docs/doctor.md says. A fixture holds only what
 * differs from the one it is based on (`fixture.json`: base, removed, story).
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Diagnosis,
  diagnose,
  foundInLog,
  readFacts,
} from '../../../src/diagnosis/doctor/index.ts';

export const fixtures = join(import.meta.dirname, '../../fixtures/hosts');

interface Fixture {
  readonly base?: string;
  readonly removed?: readonly string[];
  readonly story: string;
}

export const fixtureNames = readdirSync(fixtures).sort();

/** A whole tree of its own, to look at and to spoil. The caller removes it. */
export function hostTree(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `tdctl-host-${name}-`));
  layer(name, directory);
  return directory;
}

export async function judge(directory: string): Promise<Diagnosis> {
  const facts = await readFacts(directory);
  return diagnose(facts, await foundInLog(facts));
}

export async function diagnoseFixture(name: string): Promise<Diagnosis> {
  const directory = hostTree(name);
  try {
    return await judge(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function layer(name: string, directory: string): void {
  const source = join(fixtures, name);
  const { base, removed = [] } = readFixture(source);
  if (base !== undefined) layer(base, directory);
  for (const path of removed) rmSync(join(directory, path), { recursive: true, force: true });
  cpSync(source, directory, { recursive: true });
  rmSync(join(directory, 'fixture.json'));
}

function readFixture(source: string): Fixture {
  const path = join(source, 'fixture.json');
  if (!existsSync(path)) throw new Error(`${source} has no fixture.json`);
  return JSON.parse(readFileSync(path, 'utf8'));
}
