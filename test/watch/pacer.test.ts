import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { control } from '../../src/watch/control.ts';
import { type Pace, Pacer } from '../../src/watch/index.ts';

/** Starts steps at once, and says which have run. */
function started(pacer: Pacer, names: readonly string[]) {
  const ran: string[] = [];
  const all = Promise.all(
    names.map((name) => pacer.aroundStep(name, async () => void ran.push(name))),
  );
  return { ran, all };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the pacer', () => {
  test('lets nothing go on while paused, and one step at each word, in order', async () => {
    const pacer = new Pacer({ paused: true, stepsPerSecond: null });
    const { ran, all } = started(pacer, ['a', 'b', 'c']);
    await delay(20);
    expect(ran).toEqual([]);
    pacer.step();
    await turn();
    expect(ran).toEqual(['a']);
    pacer.step();
    await turn();
    expect(ran).toEqual(['a', 'b']);
    pacer.change({ paused: false });
    await all;
    expect(ran).toEqual(['a', 'b', 'c']);
  });

  test('keeps to its speed: steps do not overtake it', async () => {
    const pacer = new Pacer({ paused: false, stepsPerSecond: 100 });
    const from = performance.now();
    await started(pacer, ['a', 'b', 'c', 'd', 'e']).all;
    // Timers may be late and never early, but for the rounding of a millisecond each.
    expect(performance.now() - from).toBeGreaterThanOrEqual(5 * 10 - 5);
  });

  test('pausing holds a step whose time was running', async () => {
    const pacer = new Pacer({ paused: false, stepsPerSecond: 20 });
    const { ran, all } = started(pacer, ['a']);
    pacer.change({ paused: true });
    await delay(100);
    expect(ran).toEqual([]);
    pacer.change({ paused: false, stepsPerSecond: null });
    await all;
  });

  test('once released, nothing is held any more', async () => {
    const pacer = new Pacer({ paused: true, stepsPerSecond: 1 });
    const { ran, all } = started(pacer, ['a', 'b']);
    pacer.release();
    await all;
    await started(pacer, ['c']).all;
    expect(ran).toEqual(['a', 'b']);
  });

  test('a step that fails fails as it would unpaced', async () => {
    const pacer = new Pacer({ paused: false, stepsPerSecond: null });
    const failing = pacer.aroundStep('a', () => Promise.reject(new Error('EINVAL')));
    await expect(failing).rejects.toThrow('EINVAL');
  });
});

describe('controls', () => {
  const pacer = () => {
    const told: Pace[] = [];
    return { told, pacer: new Pacer({ paused: false, stepsPerSecond: 2 }, (p) => told.push(p)) };
  };

  test('change the pace, and everyone is told', () => {
    const { told, pacer: held } = pacer();
    expect(control(held, '{"do":"pause"}')).toBeUndefined();
    expect(control(held, '{"do":"speed","stepsPerSecond":null}')).toBeUndefined();
    expect(control(held, '{"do":"resume"}')).toBeUndefined();
    expect(told).toEqual([
      { paused: true, stepsPerSecond: 2 },
      { paused: true, stepsPerSecond: null },
      { paused: false, stepsPerSecond: null },
    ]);
  });

  test.each([
    'no JSON',
    'null',
    '"pause"',
    '{"do":"explode"}',
    '{"do":"speed"}',
    '{"do":"speed","stepsPerSecond":0}',
    '{"do":"speed","stepsPerSecond":"5"}',
    '{"do":"speed","stepsPerSecond":1001}',
  ])('refuse %s, change nothing and say what is wanted', (text) => {
    const { told, pacer: held } = pacer();
    expect(control(held, text)).toMatch(/ask with JSON|a number from 0\.1 to 1000/);
    expect(told).toEqual([]);
  });
});
