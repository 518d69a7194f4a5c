/** What KVM_RUN reads and writes in the page it shares with user space, noted as copies of a trace. */
import type { RunPage } from './interface.ts';
import type { Copies, Copy } from './trace-copies.ts';

export function recordRunPage(page: RunPage): { readonly page: RunPage; readonly copies: Copies } {
  const noted: Copy[] = [];
  return {
    copies: { page: noted },
    page: {
      read: () => {
        const value = page.read();
        noted.push({ access: 'read', value });
        return value;
      },
      writeExit: (exit) => {
        noted.push({ access: 'writeExit', value: exit });
        page.writeExit(exit);
      },
      // It says nothing of why the run ended, and would stand at every run.
      writeHead: (head) => page.writeHead(head),
      registers: page.registers,
    },
  };
}
