/** Random machines: nested, parallel, with every kind of transition. */
import fc from 'fast-check';
import { type AnyStateMachine, createMachine } from 'xstate';

export interface MachineShape {
  readonly states: readonly StateShape[];
  readonly edges: readonly EdgeShape[];
}

interface StateShape {
  readonly kind: 'leaf' | 'compound' | 'parallel' | 'final';
  readonly children: readonly StateShape[];
  readonly facts: number;
}

interface EdgeShape {
  readonly from: number;
  readonly to: number;
  readonly kind: 'event' | 'done' | 'error' | 'after' | 'always' | 'stay';
  readonly guarded: boolean;
  readonly acts: boolean;
}

const { state } = fc.letrec<{ state: StateShape; inner: StateShape }>((tie) => ({
  state: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'state' },
    fc.record({
      kind: fc.constantFrom('leaf' as const, 'leaf' as const, 'final' as const),
      children: fc.constant([]),
      facts: fc.nat(7),
    }),
    tie('inner'),
  ),
  inner: fc.record({
    kind: fc.constantFrom('compound' as const, 'compound' as const, 'parallel' as const),
    children: fc.array(tie('state'), { minLength: 1, maxLength: 4, depthIdentifier: 'state' }),
    facts: fc.nat(7),
  }),
}));

const edge: fc.Arbitrary<EdgeShape> = fc.record({
  from: fc.nat(60),
  to: fc.nat(60),
  kind: fc.constantFrom('event', 'event', 'done', 'error', 'error', 'after', 'always', 'stay'),
  guarded: fc.boolean(),
  acts: fc.boolean(),
});

export const machineShapes: fc.Arbitrary<MachineShape> = fc.record({
  states: fc.array(state, { minLength: 1, maxLength: 6 }),
  edges: fc.array(edge, { maxLength: 24 }),
});

type Config = Record<string, unknown>;

/** Names are given by the caller, so that a test may choose difficult ones. */
export function buildMachine(
  { states, edges }: MachineShape,
  nameOf: (at: number) => string = (at) => `state${at}`,
): AnyStateMachine {
  const paths: {
    readonly path: readonly string[];
    readonly config: Config;
    readonly kind: string;
  }[] = [];
  const build = (shapes: readonly StateShape[], path: readonly string[]): Config =>
    Object.fromEntries(
      shapes.map((shape) => {
        const name = nameOf(paths.length);
        const own = [...path, name];
        // Targets are ids: XState cannot follow a path through a key that begins with #.
        const config: Config = {
          id: `s${paths.length}`,
          description: `About ${name}`,
          ...facts(shape),
        };
        paths.push({ path: own, config, kind: shape.kind });
        if (shape.kind === 'final') config.type = 'final';
        if (shape.children.length > 0) {
          // A region of a parallel state may not be final.
          const inner =
            shape.kind === 'parallel'
              ? shape.children.map((child) =>
                  child.kind === 'final' ? { ...child, kind: 'leaf' as const } : child,
                )
              : shape.children;
          config.states = build(inner, own);
          if (shape.kind === 'parallel') config.type = 'parallel';
          else config.initial = Object.keys(config.states as Config)[0];
        }
        return [name, config];
      }),
    );
  const tree = build(states, []);
  for (const shape of edges) addEdge(shape, paths);
  return createMachine({
    id: 'made',
    version: '1',
    initial: Object.keys(tree)[0],
    states: tree,
  } as never);
}

function facts({ facts: bits, kind }: StateShape): Config {
  return {
    ...(bits & 1 ? { tags: ['busy', 'holdsResources'].slice(0, 1 + (bits >> 2)) } : {}),
    ...(bits & 2 && kind !== 'final' ? { entry: ['noteTime'], exit: ['forgetTime', 'tell'] } : {}),
  };
}

function addEdge(
  { from, to, kind, guarded, acts }: EdgeShape,
  paths: readonly {
    readonly path: readonly string[];
    readonly config: Config;
    readonly kind: string;
  }[],
): void {
  const source = paths[from % paths.length];
  const target = paths[to % paths.length];
  if (source === undefined || target === undefined || source.kind === 'final') return;
  const transition: Config = {
    ...(kind === 'stay' ? {} : { target: `#${target.config.id}` }),
    ...(guarded || kind === 'always' ? { guard: `may${to % 5}` } : {}),
    ...(acts || kind === 'always' ? { actions: ['keepWhatCame'] } : {}),
  };
  const { config } = source;
  if (kind === 'done' || kind === 'error') {
    config.invoke ??= [{ src: `work${from % 7}` }];
    const [invoke] = config.invoke as Config[];
    if (invoke !== undefined) push(invoke, kind === 'done' ? 'onDone' : 'onError', transition);
  } else if (kind === 'after') {
    config.after ??= {};
    push(config.after as Config, String(100 * (1 + (to % 3))), transition);
  } else if (kind === 'always') {
    push(config, 'always', transition);
  } else {
    config.on ??= {};
    push(config.on as Config, `event.${to % 4}`, transition);
  }
}

function push(config: Config, name: string, transition: Config): void {
  config[name] ??= [];
  (config[name] as Config[]).push(transition);
}
