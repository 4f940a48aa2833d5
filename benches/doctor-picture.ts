// Draws docs/doctor.svg: what `doctor` prints on a terminal, of the stand-in. Run after a build:
//
//   npx tsx benches/doctor-picture.ts
import { spawn } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AzureDevOps } from '../testing/azure-devops/AzureDevOps';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const ROOT = path.join(__dirname, '..');

/** In pixels, but for the columns of the terminal. */
const CHARACTER = 7.85;
const LINE = 19;
const MARGIN = 16;
const COLUMNS = 120;

/** How the codes of a terminal are drawn. */
const STYLES: Record<string, string> = {
  1: 'font-weight="bold"',
  2: 'fill="#8b949e"',
  31: 'fill="#ff7b72"',
  32: 'fill="#3fb950"',
  33: 'fill="#d29922"',
};

const TOKEN = 'drawn-token';
const CONFIG = `
integrations:
  azure:
    - host: dev.azure.com
      credentials:
        - organizations: [contoso]
          personalAccessToken: \${CONTOSO_TOKEN}
`;

async function main(): Promise<void> {
  const azure = await AzureDevOps.start({
    tokens: [{ token: TOKEN, name: 'Backstage', account: 'backstage@contoso' }],
  });
  const files = { 'catalog-info.yml': 'kind: Component', 'docs/a.md': '# A' };
  const within = { organization: 'contoso', project: 'Shop' };
  await azure.addRepository({ ...within, repository: 'web', files });
  const app = temporaryFolder('shop');
  writeFileSync(path.join(app, 'app-config.yaml'), CONFIG);
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(app, 'node_modules'));
  const url =
    'https://dev.azure.com/contoso/Shop/_git/web?path=/catalog-info.yaml';
  const output = await doctor(azure, app, url);
  await azure.close();
  const command = `$ npx backstage-azure-devops-native doctor '${url}'\n`;
  const lines = `${command}${elsewhere(output, app)}`.trimEnd().split('\n');
  writeFileSync(path.join(ROOT, 'docs/doctor.svg'), drawn(lines.flatMap(fold)));
}

async function doctor(
  azure: AzureDevOps,
  cwd: string,
  url: string,
): Promise<string> {
  const command = path.join(ROOT, 'dist/cli/main.js');
  const child = spawn(process.execPath, [command, 'doctor', url], {
    cwd,
    env: {
      ...process.env,
      HTTPS_PROXY: azure.proxyUrl,
      NODE_EXTRA_CA_CERTS: azure.caFile,
      CONTOSO_TOKEN: TOKEN,
      FORCE_COLOR: '1',
    },
  });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The same without the places of the machine on which it is drawn. */
function elsewhere(text: string, app: string): string {
  return text
    .replaceAll(app, '/home/me/shop')
    .replace(/\/\S*\.node/, 'node_modules/backstage-azure-devops-native-…')
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, 'http://proxy.example:3128')
    .replace(/\d+ of (NODE_EXTRA_CA_CERTS) \(.*?\)/, '1 of $1 (/etc/ca.pem)');
}

/** A line as a terminal folds it; codes take no room. */
function fold(line: string): string[] {
  const parts = line.match(/\u001b\[\d+m|./gu) ?? [''];
  const folded = [''];
  let width = 0;
  for (const part of parts) {
    const isCode = part.length > 1;
    if (!isCode && width === COLUMNS) {
      folded.push('');
      width = 0;
    }
    folded[folded.length - 1] += part;
    width += isCode ? 0 : 1;
  }
  return folded;
}

function drawn(lines: string[]): string {
  const width = Math.ceil(COLUMNS * CHARACTER + 2 * MARGIN);
  const height = lines.length * LINE + 2 * MARGIN;
  const texts = lines.map((line, index) => {
    const y = MARGIN + (index + 0.75) * LINE;
    return `<text x="${MARGIN}" y="${y}">${spans(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    '<title>What doctor prints</title>',
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#e6edf3" xml:space="preserve">',
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function spans(line: string): string {
  let style = '';
  const parts = line.split(/(\u001b\[\d+m)/u).map(part => {
    const [, code] = /^\u001b\[(\d+)m$/u.exec(part) ?? [];
    if (code === undefined)
      return part && `<tspan ${style}>${escaped(part)}</tspan>`;
    style = STYLES[code] ?? '';
    return '';
  });
  return parts.join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

void main();
