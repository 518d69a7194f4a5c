/** What the pages run in a browser: built from src/**\/client/, carried by the page itself. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ClientName, clientScript } from '../../src/visualize/page/client-script.ts';
import { projectRoot } from '../support/tdctl.ts';

const clients: readonly ClientName[] = ['graph', 'rehearse', 'watch'];
const modules = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => /\/client\/[^/]+\.ts$/.test(path))
  .map((path) => join(projectRoot, 'src', path));
const changedMs = (path: string) => statSync(path).mtimeMs;

describe('the script of each page', () => {
  test.each(clients)('%s is not older than its modules: else run `npm run build`', (name) => {
    const built = changedMs(join(projectRoot, 'dist/pages', `${name}.js`));
    expect(modules.filter((path) => changedMs(path) > built)).toEqual([]);
  });

  test.each(clients)('%s is one classic script that cannot end its element', (name) => {
    const script = clientScript(name);
    expect(script).toMatch(/^"use strict";\n\(function/);
    expect(script).not.toMatch(/^(import|export)\b/m);
    expect(script).not.toMatch(/<\/script|<!--/i);
  });

  test('no markup is made from data: nothing parses HTML or runs text', () => {
    const parsing =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|Function\(/;
    expect(modules.filter((path) => parsing.test(readFileSync(path, 'utf8')))).toEqual([]);
  });

  test('modules take nothing but types from outside of client directories', () => {
    const values = modules.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/^import (?!type )[^;]*?'([^']+)';/gm)]
        .map(([, from = '']) => join(path, '..', from))
        .filter((from) => !modules.includes(from)),
    );
    expect(modules.length).toBeGreaterThan(10);
    expect(values).toEqual([]);
  });
});
