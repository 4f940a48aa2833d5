import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Diagnosis } from '../ts/diagnosis/report';
import { appWith, cli } from '../testing/cli';
import { standIn } from '../testing/azure-devops';
import { FAULTS, TOKENS, type Fault, type Place } from './doctor/faults';

const azure = standIn();
const [tenantId, clientId] = [randomUUID(), randomUUID()];
const PAGE = path.join(__dirname, '../docs/doctor.md');
const SECRETS = [
  ...Object.values(TOKENS),
  'wrong-secret-01',
  'expired-secret-01',
  'good-secret-0123',
];

let place: Place;
const found = new Map<Fault, Finding>();

/** What the doctor said of a fault. */
interface Finding {
  at: string;
  message: string;
  advice: string;
  near: string[];
}

beforeAll(async () => {
  azure.reset();
  const { good, contoso, noCode } = TOKENS;
  azure.addToken({ token: good, name: 'Jane Doe' });
  azure.addToken({ token: contoso, organizations: ['contoso'] });
  azure.addToken({ token: noCode, name: 'No Code', scopes: ['projects'] });
  azure.entra.addApp({
    tenantId,
    clientId,
    secrets: ['good-secret-0123'],
    expiredSecrets: ['expired-secret-01'],
    organizations: ['contoso'],
  });
  const within = { organization: 'fabrikam', project: 'Fiber' };
  const web = await azure.addRepository({
    ...within,
    repository: 'web',
    defaultBranch: 'trunk',
    files: {
      'catalog-info.yml': 'kind: Component',
      'docs/index.md': '# Web',
      'services/orders/catalog-info.yaml': 'kind: Component',
    },
  });
  await web.git.tag('v1');
  const files = { 'catalog-info.yaml': 'kind: Component' };
  const old = { ...within, repository: 'old', files, isDisabled: true };
  await azure.addRepository(old);
  await azure.addRepository({ ...within, repository: 'empty' });
  place = { web, tenantId, clientId };
});

describe('doctor finds out that', () => {
  it.each(FAULTS)('$what', async fault => {
    const {
      url,
      azure: config,
      env,
      args = [],
      undo,
    } = await fault.provoke(place);
    const app = appWith(
      typeof config === 'string' ? config : { integrations: { azure: config } },
    );
    const asked = ['doctor', '--json', ...args, ...(url ? [url] : [])];
    const { code, stdout, stderr } = await cli(asked, { env, cwd: app });
    await undo?.();
    for (const secret of SECRETS) {
      expect(`${stdout}${stderr}`).not.toContain(secret);
    }
    expect(stderr).toBe('');
    const finding = findingIn(JSON.parse(stdout) as Diagnosis, url);
    found.set(fault, finding);
    const { at, message, advice, near } = finding;
    const said = [message, advice, ...near].join('\n');
    expect(at).toBe(fault.at);
    for (const words of fault.says) expect(said).toContain(words);
    // A misspelled key is a warning: Backstage ignores it.
    expect(code).toBe(message.includes('is no key') ? 0 : 1);
  });

  // With all of them alone: what a filter left out was not said.
  afterAll(() => {
    if (found.size === FAULTS.length) checkPage();
  });
});

/** The cause that a person reads: that of the URL, else the first thing in the configuration. */
function findingIn(diagnosis: Diagnosis, url: string | undefined): Finding {
  const [cause] = diagnosis.urls.map(own => own.cause);
  if (url && cause) return cause;
  const [problem] = diagnosis.configuration.problems;
  const { path: key, message = 'nothing', advice = '' } = problem ?? {};
  const where = key ? `${key}: ` : '';
  return { at: 'keys', message: `${where}${message}`, advice, near: [] };
}

/** The table of docs/doctor.md has what was said here; `UPDATE_DOCS=1` writes it. */
function checkPage(): void {
  const page = readFileSync(PAGE, 'utf8');
  const [start, end] = ['<!-- faults -->', '<!-- /faults -->'];
  const before = page.slice(0, page.indexOf(start) + start.length);
  const after = page.slice(page.indexOf(end));
  const rows = FAULTS.map(fault => {
    const { message, advice, near } = found.get(fault)!;
    const what = `${fault.what}${fault.isDocumented ? ' \\*' : ''}`;
    const meant =
      near.length > 0 ? `<br>Did you mean ${near.join(' or ')}` : '';
    return `| ${what} | ${stable(message)} | ${stable(advice)}${meant} |`;
  });
  const table = [
    '| what is wrong | what `doctor` says | what to do |',
    '| --- | --- | --- |',
    ...rows,
  ];
  const wanted = `${before}\n\n${table.join('\n')}\n\n${after}`;
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, wanted);
  expect(readFileSync(PAGE, 'utf8')).toBe(wanted);
}

/** Without what differs from run to run. */
function stable(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, 'server.example')
    .replaceAll(/\/\S*\/app-[^/]*\//g, '/app/')
    .replaceAll(new RegExp(`${tenantId}|${clientId}`, 'g'), '{id}')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}')
    .replaceAll(/\d{4}-\d\d-\d\d[ T][\d:]+Z?/g, '{time}')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll(/\s*\n\s*/g, ' ');
}
