/** The protocol that a connection is upgraded to for a console: bytes as they are, both ways. */
export const consoleProtocol = 'tdctl-console';

/** Of the answer: the byte of the log that comes first on the connection. */
export const consoleFromHeader = 'tdctl-console-from';
