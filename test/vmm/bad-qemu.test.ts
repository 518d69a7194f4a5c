/** QEMUs that answer as they should when they are asked what they can do, and then behave badly with the TD. */
import { expect, test } from 'vitest';
import { live } from './live.ts';

const attempt = `
  td create td.yaml --host $host -o name 2>&1 | grep -v '^hint'
  field web state; td start web 2>/dev/null; td kill web --wait >/dev/null
`;

test('one that dies before its monitor is there is told by its last words', async (context) => {
  const lived = await live(context, {
    instead: `echo "qemu: -device vfio-pci: vfio 0000:17:00.0: error getting device from group 7" >&2; exit 3`,
    script: attempt,
    slots: 0,
  });
  expect(lived.stdout.split('\n')).toEqual([
    expect.stringMatching(/^error: connecting: QEMU has ended with exit code 3.*\[TDCTL_E_VMM\]/),
    expect.stringContaining('error getting device from group 7'),
    '"failed"',
    '',
  ]);
});

test('one that ends by a signal of its own is told so', async (context) => {
  const lived = await live(context, {
    instead: `echo "qemu: qemu_mutex_lock_impl: assertion" >&2; kill -ABRT $$`,
    script: attempt,
    slots: 0,
  });
  expect(lived.stdout).toContain('QEMU has given up (SIGABRT)');
});

test('one that never answers is waited for until somebody stops the TD', async (context) => {
  const lived = await live(context, {
    instead: 'exec sleep 1000',
    script: `
      (td create td.yaml --host $host >/dev/null 2>&1; echo "create $?") &
      until td events web 2>/dev/null | grep -q 'provisioning.connecting'; do sleep 0.05; done
      td stop web --wait
      wait
    `,
    slots: 0,
  });
  expect(lived.stdout.split('\n').sort()).toEqual(['', 'create 130', 'web: destroyed']);
});

test('one that floods its standard error makes a TD all the same, and its log stays short', async (context) => {
  const lived = await live(context, {
    instead: 'head -c 20000000 /dev/zero | tr "\\0" x >&2; real "$@"',
    guest: '{hold: true}',
    script: `
      td create td.yaml --host $host --start -o name
      until [ $(stat -c %s $TDCTL_STATE_DIR/td/web/vmm.log) -lt 300000 ]; do sleep 0.1; done
      field web state
      td stop web --wait
    `,
  });
  expect(lived.stdout.split('\n')).toEqual(['web', '"running"', 'web: destroyed', '']);
});
