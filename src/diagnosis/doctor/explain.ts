/** Gives the long text of a check, which stands in its section of docs/troubleshooting.md alone. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TdctlError } from '../../errors/index.ts';
import { packageRoot } from '../../package-root.ts';
import { checks } from './checks/index.ts';

/** @throws TdctlError TDCTL_E_USAGE for an id that is none, naming those near it. */
export function explainCheck(id: string): string {
  if (!checks.some((check) => check.id === id)) throw noSuchCheck(id);
  const section = troubleshootingSections().get(id);
  if (section === undefined) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_FOUND',
      op: 'explain a check',
      place: 'docs/troubleshooting.md',
      message: `the installed documentation has no section for ${id}`,
      hint: 'install tdctl again',
    });
  }
  return section;
}

/** Gives the sections by heading, such as `cpu.vendor`; none where the page is missing. */
export function troubleshootingSections(): ReadonlyMap<string, string> {
  const page = join(packageRoot(), 'docs', 'troubleshooting.md');
  if (!existsSync(page)) return new Map();
  const sections = readFileSync(page, 'utf8')
    .split(/^(?=## )/m)
    .slice(1);
  return new Map(
    sections.map((section) => {
      const [heading = '', ...body] = section.split('\n');
      return [heading.slice(3).trim(), body.join('\n').trim()];
    }),
  );
}

function noSuchCheck(id: string): TdctlError {
  const [room = ''] = id.split('.');
  const near = checks.filter((check) => check.id.startsWith(`${room}.`));
  const list = (near.length > 0 ? near : checks).map((check) => check.id);
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'explain a check',
    place: '--explain',
    message: `there is no check \`${id}\``,
    hint: `use one of ${list.join(', ')}`,
  });
}
