/** What a monitor says (docs/interop/qmp-spec.rst of QEMU): a greeting, then answers and events, a JSON object a line. */

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type QmpMessage =
  | { readonly kind: 'greeting'; readonly version: string }
  | { readonly kind: 'event'; readonly event: QmpEvent }
  | { readonly kind: 'answer'; readonly id: unknown; readonly value: unknown }
  | {
      readonly kind: 'refusal';
      readonly id: unknown;
      readonly class: string;
      readonly desc: string;
    }
  /** `why` is a clause. */
  | { readonly kind: 'garbage'; readonly why: string };

type Fields = Readonly<Record<string, unknown>>;

export function readMessage(line: string): QmpMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'garbage', why: 'a line that is no JSON' };
  }
  if (!isFields(value)) return { kind: 'garbage', why: 'a line that is no JSON object' };
  if (typeof value.event === 'string') {
    const { event, data } = value;
    return { kind: 'event', event: { event, data: isFields(data) ? data : {} } };
  }
  const { id } = value;
  if ('return' in value) return { kind: 'answer', id, value: value.return };
  if (isFields(value.error)) {
    const { class: name, desc } = value.error;
    return { kind: 'refusal', id, class: String(name), desc: String(desc) };
  }
  if (isFields(value.QMP)) return { kind: 'greeting', version: versionIn(value.QMP) };
  return { kind: 'garbage', why: 'an object that is neither an answer nor an event' };
}

function versionIn({ version }: Fields): string {
  const { major, minor, micro } =
    (isFields(version) && isFields(version.qemu) && version.qemu) || {};
  return [major, minor, micro].join('.');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
