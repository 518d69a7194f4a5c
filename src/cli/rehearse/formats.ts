export const rehearsalFormats = ['text', 'json', 'yaml', 'junit', 'markdown'] as const;

export type RehearsalFormat = (typeof rehearsalFormats)[number];
