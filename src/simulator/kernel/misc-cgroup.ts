/** The misc cgroup controller's resource `tdx`. Source: kernel/cgroup/misc.c, Linux 7.3. */

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
  /** What the whole host has: the number of guest key IDs. */
  readonly capacity: number;
  readonly #levels = new Map<string, Level>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  setMax(path: string, max: number): void {
    this.#level(path).max = max;
  }

  /** One more for the cgroup and every ancestor. False: one of them is full, and none has it. */
  tryCharge(path: string): boolean {
    const charged: Level[] = [];
    for (const ancestor of lineage(path)) {
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

  /** How many more charges the cgroup and its ancestors allow; Infinity without any limit. */
  room(path: string): number {
    return Math.min(
      ...[...lineage(path)].map((ancestor) => {
        const { max, usage } = this.#level(ancestor);
        return max - usage;
      }),
    );
  }

  /** Not clamped: the kernel only warns when a usage goes below 0. */
  uncharge(path: string): void {
    for (const ancestor of lineage(path)) this.#level(ancestor).usage--;
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

/** `/a/b` gives `/a/b`, `/a`, `/`. */
function* lineage(path: string): IterableIterator<string> {
  for (let at = path; at !== '/' && at !== ''; at = at.slice(0, at.lastIndexOf('/'))) yield at;
  yield '/';
}
