/** What a request is refused with: an error that a user is meant to read, and its HTTP status. */
import { errorData, exitCodes, TdctlError, type TdctlErrorOptions } from '../../errors/index.ts';

/** A request that is refused before the TD hears of it. */
export class Refusal extends TdctlError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    {
      headers = {},
      ...options
    }: Pick<TdctlErrorOptions, 'message' | 'hint' | 'place'> & {
      readonly code?: TdctlErrorOptions['code'];
      readonly headers?: Readonly<Record<string, string>>;
    },
  ) {
    super({ code: 'TDCTL_E_USAGE', op: 'answer a request', ...options });
    this.status = status;
    this.headers = headers;
  }
}

/** What HTTP says for what a shell is told. All others are the keeper's own failures. */
const statusOf: Readonly<Record<number, number>> = {
  [exitCodes.usage]: 400,
  [exitCodes.notFound]: 404,
  [exitCodes.conflict]: 409,
  [exitCodes.specInvalid]: 422,
  [exitCodes.findings]: 422,
  [exitCodes.limitReached]: 503,
  [exitCodes.interrupted]: 503,
};

export interface Refused {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The error document of docs/errors.md. */
  readonly body: string;
}

/** A defect is told as one, without its stack, which is in the log of the keeper. */
export function refusedWith(error: unknown): Refused {
  const told = error instanceof TdctlError ? error : defect(error);
  const document = { kind: 'tdctl.Error', version: 1, error: errorData(told) };
  return {
    status: told instanceof Refusal ? told.status : (statusOf[told.exitCode] ?? 500),
    headers: told instanceof Refusal ? told.headers : {},
    body: `${JSON.stringify(document)}\n`,
  };
}

function defect(cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERNAL',
    op: 'answer a request',
    message: 'the keeper met a defect of its own, and its TD goes on',
    hint: 'please report what keeper.log in the directory of the TD says of it',
    cause,
  });
}
