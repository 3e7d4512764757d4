/** Whether a host name belongs to the estate: an HSM, anything under `.localhost`, or a name it was told of. */
export function isLoopbackName(name: string, extra: readonly string[]): boolean {
  const host = name.toLowerCase().replace(/\.$/, '');
  return host.endsWith('.managedhsm.azure.net') || host.endsWith('.localhost') || extra.includes(host);
}
