/** Who has connected, as the kernel of this machine tells it. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
}
