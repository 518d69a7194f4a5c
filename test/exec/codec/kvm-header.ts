/** What the system's C compiler says of <linux/kvm.h>. */
import { spawnSync } from 'node:child_process';

/** undefined: nothing here can compile against the header. */
export function preprocessed(): string | undefined {
  const cc = spawnSync('cc', ['-E', '-'], { input: '#include <linux/kvm.h>', encoding: 'utf8' });
  return cc.status === 0 ? cc.stdout : undefined;
}

/** The compiler's values of constant expressions, read from the data section it writes. */
export function evaluated(expressions: readonly string[]): number[] {
  const source = `#include <stddef.h>\n#include <linux/kvm.h>\nint values[] = {${expressions.join(',')}};`;
  const cc = spawnSync('cc', ['-S', '-xc', '-', '-o', '-'], { input: source, encoding: 'utf8' });
  if (cc.status !== 0) throw new Error(cc.stderr);
  return [...cc.stdout.matchAll(/\.(long|zero)\s+(\d+)/g)].flatMap(([, directive, value]) =>
    directive === 'long' ? [Number(value)] : new Array<number>(Number(value) / 4).fill(0),
  );
}
