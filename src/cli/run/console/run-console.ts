/** The console of a run: everybody who gets what the guest prints, and who may type at it. */
import {
  type ConsoleFileOptions,
  type ConsoleSink,
  ConsoleSocket,
  openConsoleFile,
} from '../../../guest/index.ts';
import type { TdRun, TdRunOptions } from '../../../orchestrator/index.ts';
import type { Interrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import type { RunView } from '../view.ts';
import type { RunTerminal } from './run-terminal.ts';
import type { WantedConsole } from './wanted.ts';

/** The way to the guest, which is there later than those who type. */
export class GuestInput {
  #td: Pick<TdRun, 'input'> | undefined;

  begin(td: Pick<TdRun, 'input'>): void {
    this.#td = td;
  }

  /** Returns how many bytes were taken. It can be passed as a callback. */
  readonly take = (bytes: Uint8Array): number => this.#td?.input(bytes) ?? 0;
}

export interface RunConsoleOptions {
  readonly wanted: Pick<WantedConsole, 'files' | 'socket'>;
  readonly terminal: RunTerminal;
  readonly view: RunView;
  readonly input: GuestInput;
  readonly io: CommandIo;
  readonly interrupts: Interrupts;
}

export interface RunConsole {
  readonly listener: NonNullable<TdRunOptions['console']>;
  /** Resolves when everybody has what was printed, as far as they take it. */
  end(): Promise<void>;
}

/** @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_BUSY, TDCTL_E_ADDRESS, TDCTL_E_INTERRUPTED; nothing is open then. */
export async function openRunConsole(options: RunConsoleOptions): Promise<RunConsole> {
  const { terminal, view } = options;
  const { wanted, input, io, interrupts } = options;
  const sinks = await openSinks(wanted, {
    input: input.take,
    onFailure: io.losses.add,
    signal: interrupts.signal,
  });
  return {
    listener: {
      console(bytes, lostBytes) {
        sinks.print(bytes, lostBytes);
        if (terminal.attached === undefined) view.guest('console', bytes, lostBytes);
        else terminal.attached.print(bytes, lostBytes);
      },
      debugConsole(bytes, lostBytes) {
        if (terminal.attached === undefined) view.guest('debugConsole', bytes, lostBytes);
      },
    },
    end: sinks.end,
  };
}

interface SinkOptions extends Pick<ConsoleFileOptions, 'onFailure' | 'signal'> {
  readonly input: (bytes: Uint8Array) => number;
}

export interface ConsoleSinks extends ConsoleSink {
  /** Where one of them is a socket. */
  readonly socket: ConsoleSocket | undefined;
}

/** What a TrustDomain file and the command line want of files and of a socket. @throws as openRunConsole. */
export async function openSinks(
  wanted: RunConsoleOptions['wanted'],
  options: SinkOptions,
): Promise<ConsoleSinks> {
  const sinks: ConsoleSink[] = [];
  const end = async () => {
    for (const sink of sinks.splice(0)) await sink.end();
  };
  try {
    for await (const sink of opened(wanted, options)) sinks.push(sink);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    print(bytes, lostBytes) {
      for (const sink of sinks) sink.print(bytes, lostBytes);
    },
    end,
    socket: sinks.find((sink) => sink instanceof ConsoleSocket),
  };
}

async function* opened(
  { files, socket }: RunConsoleOptions['wanted'],
  { input, ...told }: SinkOptions,
) {
  for (const path of files) yield await openConsoleFile({ path, ...told });
  if (socket !== undefined) yield await ConsoleSocket.open({ path: socket, input });
}
