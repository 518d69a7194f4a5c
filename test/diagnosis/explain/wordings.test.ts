/** The messages of whole sources, each piped into explain by itself; and new ones are listed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { messagesOf } from '../../../scripts/c-messages.mjs';
import { diagnose } from './read-fixture.ts';

const folder = join(import.meta.dirname, '../../fixtures/explain/strings');
const sources = readdirSync(folder).map((file) => file.replace(/\.txt$/, ''));

describe('every message of a source is known on standard input', () => {
  test.each(sources)('%s', async (source) => {
    const lines = readFileSync(join(folder, `${source}.txt`), 'utf8')
      .trimEnd()
      .split('\n');
    const known = await Promise.all(
      lines.map(async (line) => (await diagnose(line)).explanations.length > 0),
    );
    const unknown = lines.filter((_, index) => !known[index]);
    expect(unknown).toEqual([]);
  });
});

describe('the messages of a C source are found', () => {
  test('of Linux, with pr_fmt', () => {
    const source = `
#define pr_fmt(fmt)	"virt/tdx: " fmt
/* pr_err("not this one\\n"); */
static void f(void) {
	pr_err("initialization failed: TDMR [0x%llx, 0x%llx): reserved "
	       "areas exhausted.\\n", start, end);
	pr_info_once("%lu KB allocated for PAMT\\n", kib);
}`;
    expect(messagesOf(source)).toEqual([
      {
        line: 5,
        text: 'virt/tdx: initialization failed: TDMR [0x10, 0x10): reserved areas exhausted.',
      },
      { line: 7, text: 'virt/tdx: 5 KB allocated for PAMT' },
    ]);
  });

  test('of QEMU, with conversions of inttypes.h', () => {
    const source = `
    error_setg(errp, "Invalid attributes 0x%"PRIx64" for TDX VM "
               "(KVM supported: 0x%llx)", asked, supported);
    warn_report_once("TDX doesn't support %s", "this");
    error_setg_errno(errp, -r, "TDX ioctl %s failed, hw_errors: 0x%llx", name, e);`;
    expect(messagesOf(source).map(({ text }) => text)).toEqual([
      'Invalid attributes 0x10 for TDX VM (KVM supported: 0x10)',
      "TDX doesn't support value",
      'TDX ioctl value failed, hw_errors: 0x10',
    ]);
  });

  test('of EDK II', () => {
    const source = 'DEBUG ((DEBUG_ERROR, "%a: TdAccept failed for %Lx\\n", __func__, Start));';
    expect(messagesOf(source)).toEqual([{ line: 1, text: 'value: TdAccept failed for 0x10' }]);
    const cut =
      'DEBUG ((DEBUG_ERROR, "HOB: must be aligned.\\\n      Address: 0x%016lx\\r\\n", Top));';
    expect(messagesOf(cut)).toEqual([{ line: 1, text: 'HOB: must be aligned. Address: 0x10' }]);
  });

  test('of a panic, and of DCAP', () => {
    const source = `
panic("TDX: Failed to accept memory\\n");
qcnl_log(SGX_QL_LOG_ERROR, "[QCNL] Encountered CURL error: (%d) %s \\n", code, words);
syslog(LOG_ERR, "libtdx_attest: cannot connect socket.");`;
    expect(messagesOf(source).map(({ text }) => text)).toEqual([
      'TDX: Failed to accept memory',
      '[QCNL] Encountered CURL error: (5) value',
      'libtdx_attest: cannot connect socket.',
    ]);
  });
});
