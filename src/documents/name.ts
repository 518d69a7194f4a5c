/** `metadata.name` is a DNS label, so that it can name a Kubernetes object later. */
export const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const dnsLabelProblem =
  'must be a DNS label: 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends';

/** Makes a DNS label out of a file name: `My VM.yaml` gives `my-vm`. */
export function nameFromFile(fileName: string): string {
  const label = fileName
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return label === '' ? 'td' : label;
}
