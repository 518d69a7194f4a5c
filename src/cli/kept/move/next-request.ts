import { apiRange } from '../../../keeper/identity.ts';
import type { KeepRequest } from '../../../keeper/request.ts';

/** What the next keeper is asked, from what the one that has the TD was asked. */
export function nextRequest(request: KeepRequest): KeepRequest {
  return { ...request, moves: true, again: true, queue: false, faults: undefined, api: apiRange };
}
