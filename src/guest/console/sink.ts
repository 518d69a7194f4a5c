/** Somebody who gets all that the guest prints on COM1. */
export interface ConsoleSink {
  /** `lostBytes` came after `bytes`, and nobody has them. It neither waits nor throws. */
  print(bytes: Uint8Array, lostBytes: number): void;
  /** Nothing more comes. Resolves once all is written that can be. */
  end(): Promise<void>;
}
