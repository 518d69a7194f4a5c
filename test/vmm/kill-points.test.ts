/**
 * A keeper of a TD that QEMU has is killed (SIGKILL) right after each record of its journal, or right before: no QEMU
 * is left that nobody knows of, another keeper goes on where one can, and the one key slot and the name can be had
 * again. All of them with TDCTL_SWEEP=full, else a few.
 */
import { expect, test } from 'vitest';
import { live } from './live.ts';

/** So many records has the life below. */
const lastRecord = 61;
/** Before QEMU's process is written down, as it makes the TD, as it runs, and as it ends. */
const sample = ['die-before:6', 'die-at:14', 'die-at:27', 'die-before:49'];
const all = Array.from({ length: lastRecord }, (_, at) => [
  `die-before:${at + 1}`,
  `die-at:${at + 1}`,
]).flat();
const faults = process.env.TDCTL_SWEEP === 'full' ? all : sample;

const holding = '{hold: true}, {hold: true}, {hold: true}, {hold: true}';

/** A whole life, as far as it goes; a verb that needs a keeper begins another. */
const script = (points: readonly string[]) => `
  whole() {
    td create td.yaml --host $host --name $1 --start
    td pause $1; td resume $1
    td stop $1 --wait || td stop $1 --wait
  }
  for fault in ${points.join(' ')}; do
    name=$(echo $fault | tr : -)
    TDCTL_KEEPER_FAULT=$fault whole $name >/dev/null 2>&1
    echo "$fault $(field $name state) $(field $name holdsKeySlot) $(pgrep -fc "guest=$name ")"
    whole $name >/dev/null 2>&1
    echo "again $(field $name state) $(field $name error)"
  done
`;

test('whenever a keeper dies, its QEMU is found or is none, and all is to be had again', async (context) => {
  const lived = await live(context, { guest: holding, script: script(faults) });
  const lines = lived.stdout.trim().split('\n');
  expect(lines).toHaveLength(2 * faults.length);
  for (const [at, fault] of faults.entries()) {
    const [first, again] = lines.slice(2 * at);
    expect(first).toMatch(new RegExp(`^${fault} "(?:destroyed|lost)" false 0$`));
    expect(again).toBe('again "destroyed" null');
  }
});

test('the life that is tried has as many records as are tried', async (context) => {
  const lived = await live(context, {
    guest: holding,
    script: `
      create; td pause web; td resume web; td stop web --wait
      tail -1 $TDCTL_STATE_DIR/td/web/journal | cut -d' ' -f3-
    `,
  });
  const last = JSON.parse(lived.stdout.trim().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ kind: 'over', seq: lastRecord });
});
