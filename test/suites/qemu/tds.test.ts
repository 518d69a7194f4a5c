/** TDs as QEMU makes them in many shapes: each is built, run and given back. */
import { test } from 'vitest';
import { requireSupervision } from '../../exec/programs.ts';
import { tdCommand } from '../../exec/qemu/qemu.ts';
import { type Case, judge } from '../agreement.ts';
import {
  isFull,
  type RanUnderExec,
  suiteTimeoutMs,
  twoAtATime,
  underExec,
  whyNotFetched,
} from '../run.ts';
import { isHere, newest, programOf } from './machines.ts';
import { wronglyPrinted } from './printed.ts';
import { type TdShape, tdShapes } from './td-shapes.ts';

async function start(shape: TdShape): Promise<Case> {
  const one = tdCommand({
    program: programOf(newest),
    firmware: `${newest.folder}/OVMF.fd`,
    version: newest.version,
  });
  const { command, input = '' } = shape.change(one);
  const what = whatIsWrong(shape, await underExec(command, { input, seconds: 120 }));
  return { name: shape.name, agrees: what === undefined, underExec: what ?? 'as the kernel would' };
}

function whatIsWrong(shape: TdShape, ran: RanUnderExec): string | undefined {
  const { tds = 1, refused: giveUp, says } = shape;
  const { exitCode, stderr, summary, timedOut } = ran;
  if (timedOut) return 'it did not end';
  const all = wronglyPrinted(stderr);
  const printed = all.filter((line) => says?.test(line) !== true);
  if (giveUp !== undefined) return giveUp.test(stderr) ? undefined : 'it is not refused';
  if (exitCode !== 0 || summary === undefined)
    return `it ended with ${exitCode}: ${printed.at(-1)}`;
  const finalized = summary.vms.filter(({ type, mrtd }) => type === 'td' && mrtd !== null);
  if (finalized.length !== tds) return `${finalized.length} TDs were finalized`;
  const refused = summary.refusals.find(({ routine }) => !routine);
  if (refused !== undefined) return `${refused.request} is refused: ${refused.meaning}`;
  const { keySlots, leakedKeySlots, stillOpen, unknownIoctls } = summary;
  if (keySlots.used + leakedKeySlots + stillOpen.length > 0) return 'something is not given back';
  if (unknownIoctls.length > 0) return 'it asks what the simulated kernel does not know';
  if (says !== undefined && printed.length === all.length)
    return 'it does not say what it ought to';
  if (printed.length > 0) return `prints what a TDX host would not: ${printed[0]}`;
  return undefined;
}

test(
  'TDs of QEMU are built, run and given back under exec as on a TDX host',
  async (context) => {
    requireSupervision(context);
    if (!isHere(newest)) context.skip(whyNotFetched(newest.source));
    const shapes = tdShapes.filter(({ inCi }) => isFull || inCi === true);
    judge('qemu-tds', await twoAtATime(shapes, start));
  },
  suiteTimeoutMs,
);
