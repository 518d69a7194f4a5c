/** The QEMU machines that are started, as lists of arguments. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../support/built.ts';
import { isFull, suitesFolder } from '../run.ts';

export interface Emulator {
  readonly version: string;
  readonly folder: string;
  /** The newest CPU of a server that it knows. */
  readonly xeon: string;
  /** What `whyNotFetched` knows it by. */
  readonly source: string;
}

const emulators: readonly Emulator[] = [
  {
    version: '7.2',
    folder: join(suitesFolder, 'qemu-7.2'),
    xeon: 'Icelake-Server',
    source: 'qemu-7.2',
  },
  {
    version: '11.1',
    folder: join(projectRoot, 'test/exec/qemu/unpacked'),
    xeon: 'SapphireRapids',
    source: 'qemu',
  },
];

export const newest = emulators.at(-1) as Emulator;

export const programOf = ({ folder }: Emulator) => join(folder, 'qemu-system-x86_64');
export const isHere = (emulator: Emulator) => existsSync(programOf(emulator));
export const inThisForm = isFull ? emulators : [newest];
