/** The states of a chart are known by their ids, such as `provisioning.creatingVm`. */
import type { AnyStateMachine, SnapshotFrom, StateValue, TagsFrom } from 'xstate';

/**
 * The type has every id of a chart, made from the type of its snapshot's value. Code that uses the old
 * name of a renamed state therefore does not compile.
 */
export type StateId<Value> = Value extends string
  ? Value
  : {
      [Key in keyof Value & string]: `${Key}.${StateId<NonNullable<Value[Key]>>}`;
    }[keyof Value & string];

/**
 * Gives `{ provisioning: 'creatingVm' }` as `provisioning.creatingVm`. The charts here have no regions.
 */
export function stateId<Value extends StateValue>(value: Value): StateId<Value> {
  const keys: string[] = [];
  let part: StateValue | undefined = value;
  while (typeof part === 'object') {
    const [[key, inner] = ['', undefined]]: [string, StateValue | undefined][] =
      Object.entries(part);
    keys.push(key);
    part = inner;
  }
  return [...keys, part].join('.') as StateId<Value>;
}

/** Tells whether a state, or one around it, has a tag. */
export function hasTag<Machine extends AnyStateMachine>(
  machine: Machine,
  state: StateId<SnapshotFrom<Machine>['value']>,
  tag: TagsFrom<Machine>,
): boolean {
  let node: AnyStateMachine['root'] | undefined = machine.getStateNodeById(
    `${machine.id}.${state}`,
  );
  while (node !== undefined && !node.tags.includes(tag)) node = node.parent;
  return node !== undefined;
}
