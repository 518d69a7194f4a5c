/** Parts of a plan as data, which are the same in `tdctl plan` and in the first event of a run. */
import type { TdPlan } from '../../plan/index.ts';

export function firmwareData({ firmware: { path, sha256, sizeBytes } }: TdPlan) {
  return { path, sha256, sizeBytes };
}

export function initialPagesData({ layout }: TdPlan) {
  return layout.initialPages.map(({ section, gpa, pages, measured }) => ({
    section: section.type,
    gpa,
    pages,
    measured,
  }));
}

export function bootData({ spec, boot }: TdPlan) {
  if (!spec.boot || !boot) return null;
  const { kernelPath, initrdPath, cmdline } = spec.boot;
  const { protocol, registers, sha256 } = boot;
  const entry = registers.regs.rip;
  return { protocol, kernelPath, initrdPath: initrdPath ?? null, cmdline, entry, sha256 };
}
