/**
 * What the kernel model copies from and to the caller during one ioctl. The structs of a request
 * are wrapped while somebody traces, so a trace shows what was really read and written, and which
 * copy faulted; nothing is read that the kernel would not have read.
 */
import type { Request } from './interface.ts';

export interface Copy {
  /** `read`, `readNent`, `write` … : the method of the struct. */
  readonly access: string;
  /** undefined: it faulted. */
  readonly value: unknown;
}

export type Copies = Readonly<Record<string, readonly Copy[]>>;

type Method = (...args: unknown[]) => unknown;

/** The same request, whose structs note their copies in `copies`. */
export function recordCopies(request: Request): {
  readonly request: Request;
  readonly copies: Copies;
} {
  const copies: Record<string, Copy[]> = {};
  const fields = Object.entries(request).map(([name, value]) => {
    if (typeof value !== 'object' || value === null) return [name, value];
    const noted: Copy[] = [];
    copies[name] = noted;
    return [name, recording(value, noted)];
  });
  return { request: Object.fromEntries(fields) as Request, copies };
}

function recording(struct: object, noted: Copy[]): object {
  return new Proxy(struct, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function' || typeof property !== 'string') return member;
      return (...args: unknown[]) => {
        const answer = (member as Method).apply(target, args);
        const isWrite = property.startsWith('write');
        const value = isWrite ? (answer === true ? args[0] : undefined) : answer;
        noted.push({ access: property, value });
        return answer;
      };
    },
  });
}
