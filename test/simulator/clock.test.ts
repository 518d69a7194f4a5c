import { expect, test } from 'vitest';
import { VirtualClock } from '../../src/simulator/clock.ts';
import { hostProfiles } from '../../src/simulator/index.ts';
import { Driver } from './drive.ts';

test('the clock moves only when it is told to', () => {
  const clock = new VirtualClock();
  expect(clock.nowNs).toBe(0);
  clock.advance(1500);
  clock.advance(1);
  expect(clock.nowNs).toBe(1501);
});

test('a machine begins with the time its module took to initialise, and looking costs none', () => {
  const { machine } = new Driver();
  const { clock } = machine.snapshot();
  expect(clock.bootNs).toBeGreaterThan(0);
  expect(clock.nowNs).toBe(clock.bootNs);
  expect(machine.snapshot().clock).toEqual(clock);
});

test('a machine without a module begins at 0', () => {
  const { machine } = new Driver({ profile: { ...hostProfiles['spr-1.5'], module: undefined } });
  expect(machine.snapshot().clock).toEqual({ nowNs: 0, bootNs: 0 });
});
