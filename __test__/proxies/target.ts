/** Where a URL leads, as a proxy is told: `host:port`, the port always written out. */
export function targetOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
