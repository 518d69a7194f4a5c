export { type ExitCode, errorCodeOf, errorKinds, exitCodes, type TdctlErrorCode } from './codes.ts';
export { causes, type ErrorData, errorData, errorOf } from './error-data.ts';
export { TdctlError, type TdctlErrorOptions } from './tdctl-error.ts';
