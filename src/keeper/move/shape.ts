/** What two keepers have to agree on about a TD, which each has planned by itself, and where they do not. */
import type { TdPlan } from '../../plan/index.ts';
import type { TdShape } from './protocol.ts';

export function shapeOf({ vcpuIds, layout, predictedMrtd, facts }: TdPlan): TdShape {
  return {
    vcpus: vcpuIds.length,
    slots: layout.slots.map(({ slot, gpa, sizeBytes }) => ({ slot, gpa, sizeBytes })),
    predictedMrtd,
    kernel: facts.kernel.rules,
  };
}

/** A clause for each thing that is otherwise. */
export function differencesOf(there: TdShape, here: TdShape): readonly string[] {
  const slots = (shape: TdShape) =>
    shape.slots
      .map(({ gpa, sizeBytes }) => `${sizeBytes} bytes at 0x${gpa.toString(16)}`)
      .join(', ');
  const compared: readonly (readonly [what: string, of: (shape: TdShape) => string | number])[] = [
    ['vCPUs', ({ vcpus }) => vcpus],
    ['memory slots', slots],
    ['the MRTD', ({ predictedMrtd }) => predictedMrtd],
    ['the kernel', ({ kernel }) => kernel],
  ];
  return compared
    .filter(([, of]) => of(there) !== of(here))
    .map(([what, of]) => `${what}: ${of(there)} there, ${of(here)} here`);
}
