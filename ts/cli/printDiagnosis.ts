import type {
  CauseReport,
  Check,
  CheckState,
  ConfigurationReport,
  Diagnosis,
  HostReport,
  OrganizationReport,
  RepositoryUrlParts,
  RuntimeReport,
  UrlReport,
} from '../diagnosis/report';
import type { Terminal } from './Terminal';

const MARKS: Record<CheckState, string> = {
  ok: '✔',
  warning: '!',
  problem: '✖',
  unknown: '?',
};

/** What is printed of a diagnosis, for a person to read from top to bottom. */
export function printDiagnosis(terminal: Terminal, all: Diagnosis): void {
  const printer = new Printer(terminal);
  printer.runtime(all.runtime);
  printer.configuration(all.configuration);
  for (const host of all.hosts) {
    printer.host(host);
    all.organizations
      .filter(organization => organization.host === host.host)
      .forEach(organization => printer.organization(organization));
  }
  all.urls.forEach(url => printer.url(url));
  printer.summary(all);
}

class Printer {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  runtime({ version, node, platform, binary, proxies, trust }: RuntimeReport) {
    this.#heading(
      `backstage-azure-devops-native ${version}, Node ${node}, ${platform}`,
    );
    this.#fact('binary', binary);
    this.#fact('proxies', proxies.join(', ') || 'none');
    this.#fact('trusts', trust);
  }

  configuration({ source, files, problems }: ConfigurationReport) {
    this.#heading(`Configuration: ${source}`);
    if (files.length > 0) this.#fact('files', files.join(', '));
    if (problems.length === 0) {
      this.#check({ name: 'keys', state: 'ok', message: 'nothing is wrong' });
    }
    for (const { state, path, message, advice } of problems) {
      const where = path === undefined ? '' : `${path}: `;
      this.#check({
        name: 'keys',
        state,
        message: `${where}${message}`,
        advice,
      });
    }
  }

  host({ host, route, certificates = [], checks }: HostReport) {
    this.#heading(host);
    this.#fact('reached', route);
    certificates.forEach(({ subject, issuer, expiresAt }, index) =>
      this.#fact(
        index === 0 ? 'certificate' : '',
        `${subject}, signed by ${issuer}, until ${expiresAt.slice(0, 10)}`,
      ),
    );
    checks.forEach(check => this.#check(check));
  }

  organization({ organization, credential, ...more }: OrganizationReport) {
    const { bold } = this.#terminal.colors;
    const { kind, place, reason } = credential;
    this.#print();
    this.#print(`  ${bold(organization ?? 'any organization')}`);
    this.#fact('credential', `${kind} (${place}): ${reason}`);
    if (more.token) {
      const { tenantId, objectId, expiresAt } = more.token;
      const whose = tenantId ? `, tenant ${tenantId}, object ${objectId}` : '';
      this.#fact('token', `until ${expiresAt}${whose}`);
    }
    if (more.apiVersion) this.#fact('REST API', more.apiVersion);
    more.checks.forEach(check => this.#check(check));
  }

  url({ url, parts, request, credential, answer, ...more }: UrlReport) {
    this.#heading(url);
    if (parts) this.#fact('names', partsInWords(parts));
    if (request) this.#fact('asked for', request);
    if (credential) {
      const { kind, place, reason } = credential;
      this.#fact('credential', `${kind} (${place}): ${reason}`);
    }
    if (more.isReadable) {
      const message = `it can be read (${answer})`;
      this.#check({ name: 'answer', state: 'ok', message });
      return;
    }
    if (more.status) this.#fact('answer', String(more.status));
    if (answer && more.cause?.at === 'unknown') this.#fact('read', answer);
    more.checks
      .filter(({ state }) => state !== 'problem')
      .forEach(check => this.#check(check));
    if (more.cause) this.#cause(more.cause);
  }

  summary(all: Diagnosis) {
    const { red, yellow, green } = this.#terminal.colors;
    const found = [
      ...all.configuration.problems,
      ...all.hosts.flatMap(host => host.checks),
      ...all.organizations.flatMap(organization => organization.checks),
      ...all.urls.map(url => ({ state: url.isReadable ? 'ok' : 'problem' })),
    ];
    const count = (state: CheckState) =>
      found.filter(it => it.state === state).length;
    const problems = count('problem');
    const warnings = count('warning');
    const words = [
      problems > 0 ? red(counted(problems, 'problem')) : green('No problem'),
      ...(warnings > 0 ? [yellow(counted(warnings, 'warning'))] : []),
    ];
    this.#print();
    this.#print(`${words.join(', ')}.`);
  }

  #cause({ at, message, advice, near }: CauseReport) {
    this.#check({
      name: at,
      state: 'problem',
      message,
      advice: advice || undefined,
    });
    if (near.length > 0) {
      const { bold } = this.#terminal.colors;
      this.#indented(`${bold('?')} did you mean ${near.join(' or ')}`);
    }
  }

  #check({ name, state, message, advice }: Check) {
    const { colors } = this.#terminal;
    const color = {
      ok: colors.green,
      warning: colors.yellow,
      problem: colors.red,
      unknown: colors.dim,
    }[state];
    const text = message.trimEnd().replaceAll('\n', `\n${' '.repeat(17)}`);
    this.#print(`  ${color(MARKS[state])} ${name.padEnd(12)} ${text}`);
    if (advice) this.#indented(`${colors.bold('→')} ${advice}`);
  }

  #indented(text: string) {
    this.#print(`${' '.repeat(17)}${text}`);
  }

  #fact(name: string, value: string) {
    const { dim } = this.#terminal.colors;
    this.#print(`    ${dim(name.padEnd(12))} ${value}`);
  }

  #heading(text: string) {
    this.#print();
    this.#print(this.#terminal.colors.bold(text));
  }

  #print(line = '') {
    this.#terminal.print(line);
  }
}

function partsInWords(parts: RepositoryUrlParts): string {
  const { organization, project, repository, path, version } = parts;
  const what = parts.isPattern ? 'pattern' : 'path';
  return [
    `organization ${organization}`,
    `project ${project}`,
    `repository ${repository}`,
    path === undefined ? 'all of it' : `${what} ${path}`,
    version ?? 'the default branch',
  ].join(', ');
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
