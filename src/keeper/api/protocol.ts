/** The protocol that a connection is upgraded to for a console: bytes as they are, both ways. */
export const consoleProtocol = 'tdctl-console';
