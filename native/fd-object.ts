/** What each object with an fd has. */
export interface FdObject {
  /** The file descriptor, for a look into /proc; -1 once closed. Never close it yourself. */
  readonly fd: number;
  close(): Promise<void>;
}
