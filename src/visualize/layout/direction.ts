export type Direction = 'down' | 'right';
