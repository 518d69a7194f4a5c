export { type ExitCode, errorCodeOf, errorKinds, exitCodes, type TdctlErrorCode } from './codes.ts';
export { TdctlError, type TdctlErrorOptions } from './tdctl-error.ts';
