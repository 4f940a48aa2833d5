import type { AzureReadMessage } from 'backstage-azure-devops-native';
import type { RecordedRequest } from '../../testing/azure-devops';
import type { Entity } from '../../testing/backend/CatalogBackend';

/** Prints a heading of the account. */
export function heading(text: string): void {
  console.log(`\n${text}\n${'-'.repeat(text.length)}`);
}

/** Prints what the catalog holds. */
export function printEntities(entities: Entity[]): void {
  const rows = entities.map(({ kind, metadata }) => [
    kind,
    metadata.name,
    pathOf(metadata.annotations?.['backstage.io/managed-by-location']),
    metadata.description ?? '',
  ]);
  printTable([['KIND', 'NAME', 'READ FROM', 'DESCRIPTION'], ...rows.sort()]);
}

/** Prints what the package says that it read. */
export function printReads(reads: AzureReadMessage[]): void {
  const rows = reads.map(read => [
    String(read.status),
    `${read.durationMs.toFixed(1)} ms`,
    read.place,
    read.request,
  ]);
  printTable([['STATUS', 'TIME', 'CREDENTIAL', 'REST REQUEST'], ...rows]);
}

/** Prints what Azure DevOps was asked, and by whom. */
export function printRequests(requests: RecordedRequest[]): void {
  const rows = requests.map(request => [
    String(request.status),
    `${request.bytesSent} B`,
    request.protocol,
    request.credential,
    String(request.headers['user-agent']),
    String(request.headers['if-none-match'] ?? '').slice(0, 9),
    pathOf(request.url),
  ]);
  const columns = [
    'STATUS',
    'SENT',
    'OVER',
    'SIGNED IN',
    'USER-AGENT',
    'IF-NONE-MATCH',
    'FILE',
  ];
  printTable([columns, ...rows]);
}

/** The `path` parameter of a URL, or of what ends in one. */
function pathOf(url = ''): string {
  return new URLSearchParams(url.split('?')[1]).get('path') ?? '';
}

/** Prints rows under each other, each column as wide as it has to be. */
export function printTable(rows: string[][]): void {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map(row => row[column].length)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column]));
    console.log(`  ${cells.join('  ')}`.trimEnd());
  }
}
