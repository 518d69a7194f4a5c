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
