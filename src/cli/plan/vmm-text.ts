/** What an engine with devices will be started as, for a person. */
import type { VmmAssessment } from '../../vmm/index.ts';
import { pathFromHere } from '../output/paths.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';

export function measuredBootSection({ measuredBoot }: VmmAssessment): string[] {
  if (measuredBoot.length === 0) return [];
  const rows = measuredBoot.flatMap(({ what, register, digest, words }) => [
    [what, `RTMR[${register}], ${sanitize(words)}`],
    ...(digest === undefined ? [] : [['', digest]]),
  ]);
  return [`Direct boot: not in the MRTD\n${columns(rows)}`];
}

export function vmmText({ program, shell, isReproducible }: VmmAssessment): string {
  const rows = [
    ...(program
      ? [['program', `${sanitize(pathFromHere(program.path))}, ${program.version}`]]
      : []),
    ...(isReproducible ? [] : [['not reproducible', 'spec.qemu.extraArgs adds words of its own']]),
  ];
  const lines = shell.split('\n').map((line) => `  ${sanitize(line)}`);
  return `QEMU\n${columns(rows)}${lines.join('\n')}\n`;
}
