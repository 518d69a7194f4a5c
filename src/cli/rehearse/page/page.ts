import type { RehearsalReport } from '../report.ts';
export function rehearsalPage(report: RehearsalReport): string {
  return report.name;
}
