/**
 * A keeper of a TD that QEMU has is killed (SIGKILL) right after each record of its journal, or right before: no QEMU
 * is left that nobody knows of, another keeper goes on where one can, and the one key slot and the name can be had
 * again. All of them with TDCTL_SWEEP=full, else a few.
 */
import { expect, test } from 'vitest';
import { live } from './live.ts';

/** So many records has the life below. */
const lastRecord = 62;
/** Before QEMU's process is written down, as it makes the TD, as it runs, and as it ends. */
const sample = ['die-before:6', 'die-at:14', 'die-at:27', 'die-before:49'];
const all = Array.from({ length: lastRecord }, (_, at) => [
  `die-before:${at + 1}`,
  `die-at:${at + 1}`,
]).flat();
const faults = process.env.TDCTL_SWEEP === 'full' ? all : sample;

const holding = '{hold: true}, {hold: true}, {hold: true}, {hold: true}';

/** A whole life, as far as it goes; a verb that needs a keeper begins another, which has no fault. Then one more. */
const script = (fault: string) => `
  # QEMU, and whoever carries its calls to a shared host, is started in the directory of its TD.
  qemus() { ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -c "$TDCTL_STATE_DIR/td/web$"; }
  fields() { td show web -o json | grep -oE '^  "(state|holdsKeySlot|error)": ("[a-z]*"|false|null|.)' | tr -d ' '; }
  {
    TDCTL_KEEPER_FAULT=${fault} td create td.yaml --host $host --start
    td pause web; td resume web
    td stop web --wait || td stop web --wait
  } >/dev/null 2>&1
  fields; until [ $(qemus) = 0 ]; do sleep 0.1; done
  { td create td.yaml --host $host; td stop web --wait; } >/dev/null 2>&1
  fields
`;

for (const fault of faults) {
  test(`a keeper dies (${fault}): its QEMU is found or is none, and all is to be had again`, async (context) => {
    const lived = await live(context, { door: 'shared', guest: holding, script: script(fault) });
    expect(lived.stdout.split('\n')).toEqual([
      ...[expect.stringMatching(/^"state":"(?:destroyed|lost)"$/), '"holdsKeySlot":false'],
      ...[expect.stringMatching(/^"error":(?:null|\{)/)],
      ...['"state":"destroyed"', '"holdsKeySlot":false', '"error":null', ''],
    ]);
  });
}

test('the life that is tried has as many records as are tried', async (context) => {
  const lived = await live(context, {
    door: 'shared',
    guest: holding,
    script: `
      create; td pause web; td resume web; td stop web --wait
      tail -1 $TDCTL_STATE_DIR/td/web/journal | cut -d' ' -f3-
    `,
  });
  const last = JSON.parse(lived.stdout.trim().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ kind: 'over', seq: lastRecord });
});
