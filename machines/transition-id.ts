/** The transitions of a chart by name, as the events of a run and the pictures tell them. */
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

type Transition = Pick<AnyTransitionDefinition, 'source' | 'eventType'>;

const known = new WeakMap<Transition, string>();

/**
 * `absent td.create`, `moving error`, `provisioning done.state`: the state that is left, and why. Of
 * alternatives with the same cause the second and those after it are numbered: `releasing done#2`.
 */
export function transitionId(transition: Transition): string {
  const before = known.get(transition);
  if (before !== undefined) return before;
  const { source, eventType } = transition;
  const same = eventType === '' ? source.always : source.transitions.get(eventType);
  const place = same?.indexOf(transition as AnyTransitionDefinition) ?? 0;
  const cause = causeOf(source, eventType);
  const from = source.path.length === 0 ? '' : `${source.path.join('.')} `;
  const id = `${from}${cause}${place > 0 ? `#${place + 1}` : ''}`;
  known.set(transition, id);
  return id;
}

/** XState names the ends of actors and states after their state; only the end matters here. */
function causeOf({ id }: AnyStateNode, eventType: string): string {
  if (eventType === '') return 'always';
  return eventType
    .replace(/^xstate\./, '')
    .replace(`.actor.0.${id}`, '')
    .replace(`.${id}`, '');
}
