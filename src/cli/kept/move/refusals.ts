/** Why a TD does not move to another keeper, or what came of it. */
import { TdctlError } from '../../../errors/index.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import type { TdShape } from '../../../keeper/move/protocol.ts';
import { differencesOf, shapeOf } from '../../../keeper/move/shape.ts';
import type { TdPlan } from '../../../plan/index.ts';

const op = 'move a TD to another keeper';

export function isMoving(name: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `TD ${name} is being moved already, or is not here any more`,
    hint: `\`tdctl show ${name}\` says where it is`,
  });
}

export function notKept(name: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `TD ${name} has no keeper from which it could move`,
    hint: `\`tdctl show ${name}\` says what became of it`,
  });
}

/** Undefined where both have planned the same. */
export function otherwisePlanned(there: TdShape, plan: TdPlan): TdctlError | undefined {
  const details = differencesOf(there, shapeOf(plan));
  if (details.length === 0) return undefined;
  return new TdctlError({
    code: 'TDCTL_E_MIGRATION_REFUSED',
    op,
    message:
      'the next keeper has planned the TD otherwise than it was built, so it stays where it is',
    details,
    hint: 'a file that it was created from may be another one by now: put it back as it was',
  });
}

export function lost(
  { keeper }: { readonly keeper: { readonly pid: number } },
  why: TdctlError | undefined,
): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_TD_LOST',
    op,
    message: `the TD is lost: neither process ${keeper.pid}, which kept it, nor this one has it any more`,
    details: why === undefined ? [] : [why.message],
    hint: 'the kernel takes a TD down with the process that has its VM; `tdctl start` begins it anew',
  });
}

export function notKnown(name: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op,
    message: `what TD ${name} was created from cannot be read, and its next keeper has to know it`,
    hint: `\`tdctl show ${name}\` says where its files are`,
  });
}

export function inUnit(name: string, unit: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `QEMU has TD ${name} in the unit ${unit} of systemd, and a keeper that takes it over would be in another`,
    hint: 'a TD of QEMU that is created without --unit can be given another keeper',
  });
}

export function beginsNoNext(kept: { name: string; unit: string; tdctl: string }): TdctlError {
  const { name, unit, tdctl } = kept;
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `TD ${name} is kept in the unit ${unit} of systemd, and a keeper of tdctl ${tdctl} begins no other there`,
    hint: 'later ones do: the TD stays under that version until it is stopped and started again',
  });
}

export function keptByCommand(name: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `TD ${name} is kept by the command that runs it, and ends with that`,
    hint: 'a TD that is created with `tdctl create` can be given another keeper',
  });
}

export function notGone(name: string, pid: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_STUCK',
    op,
    message: `the keeper of TD ${name}, process ${pid}, was killed and has not ended: the kernel is still at something for it`,
    hint: `\`cat /proc/${pid}/stack\` says at what; \`tdctl start ${name}\` gives the TD another keeper once it is gone`,
  });
}

export function noKeeperProgram(path: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op,
    place: '--with',
    message: `there is no tdctl at ${path}`,
    hint: 'name an unpacked package, the prefix of an installation, or dist/keeper.js of either',
  });
}

export function takesNoTds(program: string, printed: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_API_VERSION',
    op,
    place: '--with',
    message: `${program} cannot take a TD over: it does not say what it speaks, as one does that can`,
    details: printed === '' ? [] : printed.split('\n').slice(-5),
    hint: 'name a tdctl that has `migrate`; nothing was begun',
  });
}

/** Says of a TD that has not moved that it goes on as before, where that was seen. */
export function staysUnder(
  error: unknown,
  before: KeptTd | undefined,
  now: KeptTd | undefined,
): unknown {
  const keeper = now?.keeper;
  if (!(error instanceof TdctlError) || now === undefined) return error;
  if (keeper?.lives !== true || keeper.tdctl !== before?.keeper?.tdctl) return error;
  const { code, op: during, message, details, hint, place, cause } = error;
  const how = now.state === 'running' ? 'keeps running' : `stays ${now.state}`;
  const stays = `TD ${now.name} ${how} under tdctl ${keeper.tdctl}, process ${keeper.pid}`;
  return new TdctlError({
    ...{ code, op: during, message, hint, place, cause },
    details: [...details, stays],
  });
}

export function upgradeInterrupted(notTried: number, of: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERRUPTED',
    op: 'upgrade',
    message: `interrupted: ${notTried} of ${of} TDs were not tried, and keep the keepers they have`,
    hint: 'the same command again goes on with them',
  });
}

export function keepsItsSocket(name: string, tdctl: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `the console of TD ${name} is a socket of its own (spec.console), which a keeper of tdctl ${tdctl} cannot pass on: whoever is attached to it would be cut off`,
    hint: 'later ones can: the TD stays under that version until it is stopped and started again',
  });
}
