/** Tells the service manager how far a TD is, by the protocol of sd_notify(3). Without a manager it tells nobody. */
import { spawn } from 'node:child_process';
import { loadAddon } from '../../../native/index.ts';

export interface ServiceManager {
  /** This process is what the unit lives by from now on, in the place of the one that was. */
  takesOver(): void;
  /** The environment of a process of the unit that is to tell it too. */
  handedOn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
  /** The service is up: whoever started it need wait no longer. */
  ready(status: string): void;
  status(text: string): void;
  /** The service is on its way down. */
  stopping(status: string): void;
  /** It will need so much more time, from now on, than the unit may have said. */
  needsMs(ms: number): void;
}

export const notifySocketVariable = 'NOTIFY_SOCKET';

/**
 * Takes the name of the socket out of the environment: no child shall speak for this process.
 *
 * @param onTrouble is told once, where it cannot be told. The TD is kept all the same.
 */
export function serviceManager(
  env: NodeJS.ProcessEnv,
  onTrouble: (what: string) => void,
): ServiceManager {
  const path = env[notifySocketVariable];
  delete env[notifySocketVariable];
  const send = path ? sender(path, env, once(onTrouble)) : () => {};
  return {
    takesOver: () => send({ MAINPID: String(process.pid) }),
    handedOn: (to) => (path ? { ...to, [notifySocketVariable]: path } : to),
    ready: (status) => send({ READY: '1', STATUS: status }),
    status: (text) => send({ STATUS: text }),
    stopping: (status) => send({ STOPPING: '1', STATUS: status }),
    needsMs: (ms) => send({ EXTEND_TIMEOUT_USEC: String(Math.ceil(ms * 1000)) }),
  };
}

type Variables = Readonly<Record<string, string>>;

function sender(
  path: string,
  env: NodeJS.ProcessEnv,
  onTrouble: (what: string) => void,
): (variables: Variables) => void {
  const native = loadAddon();
  // Of the socket families that sd_notify(3) names, the addon speaks one: AF_VSOCK is for managers outside a VM.
  const isUnix = path.startsWith('/') || path.startsWith('@');
  if (!native.available || !isUnix)
    return (variables) => byTool(variables, { path, env, onTrouble });
  return (variables) => {
    try {
      native.addon.sendDatagram(path, Buffer.from(linesOf(variables).join('\n')));
    } catch (error) {
      onTrouble(error instanceof Error ? error.message : String(error));
    }
  };
}

/** systemd-notify(1) tells the same as a process of its own, which a unit must allow: NotifyAccess=all. */
function byTool(
  variables: Variables,
  {
    path,
    env,
    onTrouble,
  }: { path: string; env: NodeJS.ProcessEnv; onTrouble: (what: string) => void },
): void {
  const child = spawn('systemd-notify', [`--pid=${process.pid}`, ...linesOf(variables)], {
    env: { ...env, [notifySocketVariable]: path },
    stdio: 'ignore',
  });
  child.on('error', (error) => onTrouble(error.message));
  child.on('exit', (code) => {
    if (code !== 0) onTrouble(`systemd-notify ended with exit code ${code}`);
  });
}

/** A line is one variable, so no text may begin another. */
function linesOf(variables: Variables): string[] {
  return Object.entries(variables).map(
    ([name, value]) => `${name}=${value.replaceAll(/\s+/g, ' ')}`,
  );
}

function once(tell: (what: string) => void): (what: string) => void {
  let isTold = false;
  return (what) => {
    if (!isTold) tell(what);
    isTold = true;
  };
}
