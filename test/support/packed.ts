/** tdctl as it is packed, under another number: what an operator unpacks beside the one that is there. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtMain, projectRoot } from './built.ts';

/** @returns the directory into which it was unpacked, with the package in `package/`. */
export function unpackedTdctl(directory: string, version: string): string {
  builtMain();
  mkdirSync(directory, { recursive: true });
  const packed = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', directory],
    { cwd: projectRoot, encoding: 'utf8' },
  );
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  execFileSync('tar', ['-xzf', join(directory, filename), '-C', directory]);
  const root = join(directory, 'package');
  const file = join(root, 'package.json');
  const content = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...content, version }));
  const addon = join(projectRoot, 'build/Release/tdctl.node');
  const place = join(root, 'prebuilds/linux-x64.node');
  if (existsSync(addon) && !existsSync(place)) cpSync(addon, place, { recursive: true });
  return directory;
}
