import { inGroup, pass, unknown } from '../check.ts';
import { knownValue, whyNotRead } from '../reading.ts';

const mib = (kib: number) => `${Math.round(kib / 1024)} MiB`;
const gib = (kib: number) => `${(kib / 1024 / 1024).toFixed(1)} GiB`;

export const memoryChecks = inGroup('Memory', [
  {
    id: 'memory.pamt',
    title: 'What the TDX module takes of the memory',
    needs: ['module.initialized'],
    reads: '"KB allocated for PAMT" in the kernel log; /proc/meminfo',
    evaluate({ found, memory }) {
      const total = knownValue(memory)?.totalKib;
      const available = knownValue(memory)?.availableKib ?? undefined;
      if (total === undefined) return unknown(whyNotRead(memory));
      const room =
        available === undefined ? gib(total) : `${gib(available)} of ${gib(total)} available`;
      if (found.pamtKib) {
        // The PAMT is not part of MemTotal any more.
        const share = ((found.pamtKib.kib / (total + found.pamtKib.kib)) * 100).toFixed(1);
        return pass(`${mib(found.pamtKib.kib)} (${share} %) for the PAMT; ${room}`);
      }
      return pass(`about ${mib(total / 256)} (1/256) for the PAMT; ${room}`);
    },
  },
]);
