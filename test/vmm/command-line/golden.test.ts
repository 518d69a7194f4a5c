import { describe, expect, test } from 'vitest';
import { commandOf, commandParts, shellText } from '../../../src/vmm/command-line/index.ts';
import { goldenNames, goldenPlan, goldenSpec } from './golden-specs.ts';

const places = {
  monitor: '/run/tdctl/td/monitor.sock',
  console: '/run/tdctl/td/console.sock',
  consoleLog: '/run/tdctl/td/console.log',
  directory: '/run/tdctl/td',
};

describe('the command of a TD that QEMU runs', () => {
  test.each(goldenNames)('%s', async (name) => {
    const plan = goldenPlan(goldenSpec(name, '/td'));
    const { files } = commandOf(plan, places);
    const text = shellText(plan.program, { parts: commandParts(plan, places), files });
    await expect(`${text}\n`).toMatchFileSnapshot(`../../golden/vmm/${name}.txt`);
  });

  test.each(goldenNames)('%s names each file that is opened, by its number', (name) => {
    const { args, files } = commandOf(goldenPlan(goldenSpec(name, '/td')), places);
    expect(files.map(({ fd }) => fd)).toEqual(files.map((_, index) => index + 3));
    for (const { fd } of files) {
      const named = args.filter((word) =>
        new RegExp(`(/proc/self/fd/|/dev/fdset/|fd":")${fd}\\b`).test(word),
      );
      expect(named, `fd ${fd}`).toHaveLength(1);
    }
  });

  test('says all 64 bits of the attributes', () => {
    const spec = { ...goldenSpec('bare', '/td'), attributes: 0x8000_0000_1000_0001n };
    const { args } = commandOf(goldenPlan(spec), places);
    expect(args.join(' ')).toContain('"attributes":9223372037123211265');
  });
});
