/** A valid file to change one thing in. */
export function specText(overrides: Record<string, string> = {}, metadata = '{ name: web-1 }') {
  const fields = { vcpus: '2', memory: '2GiB', firmware: 'OVMF.fd', ...overrides };
  const lines = Object.entries(fields).map(([key, value]) => `  ${key}: ${value}`);
  return `apiVersion: tdctl.io/v1alpha1\nkind: TrustDomain\nmetadata: ${metadata}\nspec:\n${lines.join('\n')}\n`;
}
