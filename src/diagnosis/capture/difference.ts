export interface Difference {
  /** The name is stable: `limits.vcpus`, `attributes`. */
  readonly field: string;
  readonly a: string;
  readonly b: string;
  /** `blocks`: a TD that uses it cannot move from A to B. `changes`: it sees something else. */
  readonly effect: 'blocks' | 'changes' | 'info';
  readonly meaning: string;
}
