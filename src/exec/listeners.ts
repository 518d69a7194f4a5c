import type { CallListener } from './dispatcher.ts';

export function everyListener(listeners: readonly CallListener[]): CallListener {
  return {
    opened: (...call) => {
      for (const listener of listeners) listener.opened(...call);
    },
    called: (call) => {
      for (const listener of listeners) listener.called(call);
    },
    closed: (file) => {
      for (const listener of listeners) listener.closed(file);
    },
    unserved: (...call) => {
      for (const listener of listeners) listener.unserved(...call);
    },
  };
}
