/** The misc cgroup controller has a resource `tdx`. Source: kernel/cgroup/misc.c, Linux 7.3. */
import { cgroupLineage } from './cgroup-lineage.ts';

interface Level {
  max: number;
  usage: number;
  /** misc.events `tdx.max`: how often this level refused a charge. */
  maxEvents: number;
}

export interface CgroupUsage {
  readonly path: string;
  readonly max: number;
  readonly usage: number;
  readonly maxEvents: number;
}

export class MiscCgroup {
  /** The capacity of the host is the number of its guest key IDs. */
  readonly capacity: number;
  readonly #levels = new Map<string, Level>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  setMax(path: string, max: number): void {
    this.#level(path).max = max;
  }

  /**
   * Charges the cgroup and every ancestor once. Returns false when one of them is full; then none is
   * charged.
   */
  tryCharge(path: string): boolean {
    const charged: Level[] = [];
    for (const ancestor of cgroupLineage(path)) {
      const level = this.#level(ancestor);
      level.usage++;
      charged.push(level);
      if (level.usage > level.max || level.usage > this.capacity) {
        level.maxEvents++;
        for (const each of charged) each.usage--;
        return false;
      }
    }
    return true;
  }

  /**
   * Counts the further charges that the cgroup and its ancestors allow. It is Infinity without any
   * limit.
   */
  room(path: string): number {
    return Math.min(
      ...[...cgroupLineage(path)].map((ancestor) => {
        const { max, usage } = this.#level(ancestor);
        return max - usage;
      }),
    );
  }

  /** The usage is not clamped, because the kernel only warns when it goes below 0. */
  uncharge(path: string): void {
    for (const ancestor of cgroupLineage(path)) this.#level(ancestor).usage--;
  }

  usage(): readonly CgroupUsage[] {
    return [...this.#levels].map(([path, level]) => ({ path, ...level }));
  }

  #level(path: string): Level {
    let level = this.#levels.get(path);
    if (level === undefined) {
      level = { max: Number.POSITIVE_INFINITY, usage: 0, maxEvents: 0 };
      this.#levels.set(path, level);
    }
    return level;
  }
}
