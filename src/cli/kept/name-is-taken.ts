import { TdctlError } from '../../errors/index.ts';

/** @param how whether a keeper has the TD of that name now, or its record is what is left of it */
export function nameIsTaken(name: string, how: 'kept' | 'over'): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'create a TD',
    message:
      how === 'kept'
        ? `there is a TD ${name} already, and a keeper has it`
        : `there was a TD ${name}, and its record is still here`,
    hint:
      how === 'kept'
        ? `\`tdctl show ${name}\` says what it is; choose another name, or \`tdctl stop ${name}\` first`
        : `\`tdctl start ${name}\` begins another life of it, and \`tdctl delete ${name}\` removes the record`,
  });
}
