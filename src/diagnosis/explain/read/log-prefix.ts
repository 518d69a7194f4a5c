/** Takes timestamps and the like off a line of a log, so that what it says can be shown alone. */

const prefixes: readonly RegExp[] = [
  /^<\d{1,3}>/, // printk level: dmesg -r
  /^\[\s{0,12}\d+\.\d+\]\s{0,4}/, // dmesg
  /^\[\s{0,8}[TC]\d+\]\s{0,4}/, // CONFIG_PRINTK_CALLER
  /^\[\w{3} \w{3}\s{1,2}\d{1,2} [\d:]{8} \d{4}\]\s{0,4}/, // dmesg -T
  /^\d{4}-\d\d-\d\d[T ][\d:]{8}(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?:?\s{1,4}/, // ISO: QEMU, journalctl -o short-iso
  /^\w{3}\s{1,2}\d{1,2} [\d:]{8}(?:\.\d+)? [\w.-]+ [\w.@-]+(?:\[\d+\])?: /, // journalctl, syslog
  /^[\w.-]+ kernel: /, // what is left of it after an ISO time
  /^kern\s{0,4}:\w{3,7}\s{0,4}:\s/, // dmesg -x
];

export function withoutPrefix(line: string): string {
  let rest = line.trim();
  // A journal holds a dmesg line, which has a prefix of its own: three layers at most.
  for (let layer = 0; layer < 3; layer += 1) {
    const before = rest;
    for (const prefix of prefixes) rest = rest.replace(prefix, '');
    if (rest === before) break;
  }
  return rest.trim();
}
