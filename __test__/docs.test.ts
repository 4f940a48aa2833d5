/** What README and docs/ name is there: keys, metrics, events, commands, links; what they show works. */
import { loadConfigSchema, type ConfigSchema } from '@backstage/config-loader';
import {
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { parse } from 'yaml';
import { anchorsOf, blocks, codeIn, linksOf, pages, ROOT } from './docs/pages';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import { typeProblems } from '../testing/typeProblems';

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  files: string[];
  scripts: Record<string, string>;
};
const all = pages();
const code = all.flatMap(page =>
  codeIn(page).map(text => ({ page: page.file, text })),
);

describe('keys of the configuration', () => {
  const known = keysOf(JSON.parse(read('config.schema.json')));

  it('that are named are in the schema', () => {
    const named = code
      .map(({ page, text }) => ({ page, key: keyIn(text) }))
      .filter(({ key }) => key !== undefined);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ key }) => !known.has(key!))).toEqual([]);
  });

  it('are all described in docs/configuration.md', () => {
    const described = new Set(
      codeIn({ file: '', text: read('docs/configuration.md') }).flatMap(text =>
        text.split('.'),
      ),
    );
    const yaml = blocks('yaml').filter(
      ({ page }) => page === 'docs/configuration.md',
    );
    for (const block of yaml)
      for (const [key] of block.code.matchAll(/[A-Za-z]+(?=:)/g))
        described.add(key);
    const names = [...known].map(key => key.split('.').at(-1)!);
    // The parts of a duration are Backstage's.
    const parts =
      /^(years|months|weeks|days|hours|minutes|seconds|milliseconds)$/;
    const leaves = new Set(names.filter(name => !parts.test(name)));
    expect([...leaves].filter(name => !described.has(name))).toEqual([]);
  });
});

describe('metrics', () => {
  const measured = new Set(
    [
      read('ts/metrics.ts'),
      ...['src/telemetry/metrics.rs', 'src/bindings/telemetry.rs'].map(read),
    ].flatMap(text =>
      [...text.matchAll(/['"](azure_devops\.[a-z_.]+)['"]/g)].map(
        ([, name]) => name,
      ),
    ),
  );
  const isMetric = (text: string) => /^azure_devops\.[a-z_.]+$/.test(text);

  it('that are named are measured', () => {
    const named = code.filter(({ text }) => isMetric(text));
    expect(named.filter(({ text }) => !measured.has(text))).toEqual([]);
  });

  it('that are measured are described', () => {
    const described = codeIn({ file: '', text: read('docs/operations.md') });
    expect([...measured].filter(name => !described.includes(name))).toEqual([]);
  });

  it.each(['docs/alerts.yaml', 'docs/grafana.json'])(
    'of %s are measured',
    file => {
      const names = [...read(file).matchAll(/azure_devops_[a-z_]+/g)].map(
        ([name]) => name.replace(/_(total|bucket|count|sum)$/, ''),
      );
      const exported = [...measured].map(name => name.replaceAll('.', '_'));
      expect(names.length).toBeGreaterThan(5);
      expect(names.filter(name => !exported.includes(name))).toEqual([]);
    },
  );
});

it('events of the log are those that the table has', () => {
  const rust = filesBelow('src', '.rs').map(read).join('\n');
  const told = [
    ...rust.matchAll(
      /(?:Event|Self)::(?:info|warning|detail)\(\s*"([^"]+)"|(?:line|event)\("([^"]+)"|EVENT: &str = "([^"]+)"/g,
    ),
    ...filesBelow('ts', '.ts')
      .map(read)
      .join('\n')
      .matchAll(/event: '([^']+)'/g),
  ]
    .map(([, ...names]) => names.find(Boolean)!)
    // Those of unit tests.
    .filter(name => !['test', 'other'].includes(name));
  const table = read('docs/operations.md').match(/^\| `event`.*?\n\n/ms)![0];
  const rows = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
  const described = rows.slice(1).sort();
  expect([...new Set(told)].sort()).toEqual(described);
});

it('commands are there', () => {
  const text = all.map(page => page.text).join('\n');
  const scripts = [...text.matchAll(/npm run ([a-z-]+)/g)].map(([, it]) => it);
  expect(scripts.length).toBeGreaterThan(5);
  expect(scripts.filter(name => !manifest.scripts[name])).toEqual([]);
  const benches = [...text.matchAll(/benches\/[a-z-]+\.mjs/g)].map(
    ([it]) => it,
  );
  expect(benches.filter(file => !existsSync(path.join(ROOT, file)))).toEqual(
    [],
  );
});

describe('links', () => {
  const links = all.flatMap(page =>
    linksOf(page).map(link => ({ ...link, page: page.file })),
  );
  const fileOf = ({ page, file }: { page: string; file: string }) =>
    file ? path.join(path.dirname(page), file) : page;

  it('lead to files and headings of the repository', () => {
    const dead = links.filter(link => {
      const file = fileOf(link);
      if (!existsSync(path.join(ROOT, file))) return true;
      return link.anchor && !anchorsOf(read(file)).includes(link.anchor);
    });
    expect(dead).toEqual([]);
  });

  it('lead to files of the package, where they stand in one', () => {
    const shipped = [...manifest.files, 'README.md', 'LICENSE'];
    const isShipped = (file: string) =>
      shipped.some(own => file === own || file.startsWith(`${own}/`));
    const own = links.filter(({ page }) => isShipped(page));
    expect(own.length).toBeGreaterThan(20);
    expect(own.filter(link => !isShipped(fileOf(link)))).toEqual([]);
  });
});

describe('examples of configuration', () => {
  let schema: ConfigSchema;

  beforeAll(async () => {
    schema = await loadConfigSchema({
      dependencies: ['@backstage/backend-defaults'],
      packagePaths: [path.join(ROOT, 'package.json')],
      noUndeclaredProperties: true,
    });
  });

  it.each(blocks('yaml'))('in $page are accepted', ({ code: text }) => {
    const data = parse(text);
    expect(data).toBeInstanceOf(Object);
    expect(() => schema.process(inAnApp(data))).not.toThrow();
  });

  it('that are misspelled are not', () => {
    const data = parse('integrations: { azure: [{ hots: a }] }');
    expect(() => schema.process(inAnApp(data))).toThrow(/hots/);
  });
});

it('examples in TypeScript compile', () => {
  const folder = temporaryFolder('docs', path.join(ROOT, 'temp'));
  const files = blocks('ts').map(({ code: text }, index) => {
    const file = path.join(folder, `${index}.ts`);
    writeFileSync(file, text);
    return file;
  });
  expect(files.length).toBeGreaterThan(0);
  const problems = typeProblems(files, {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
  });
  rmSync(folder, { recursive: true });
  expect(problems).toEqual([]);
});

/** A configuration, with what Backstage asks of every app. */
function inAnApp(data: object): Parameters<ConfigSchema['process']>[0] {
  const baseUrl = 'http://localhost';
  const database = { client: 'better-sqlite3', connection: ':memory:' };
  const app = { app: { baseUrl }, backend: { baseUrl, database } };
  return [
    { context: 'app', data: app },
    { context: 'example', data: data as never },
  ];
}

/** The key that some code names, without the positions in lists. */
function keyIn(text: string): string | undefined {
  const isOurs = /^(integrations\.azure|backend\.reading\.azureDevOps)\b/;
  if (!isOurs.test(text) || /[…*{}]/.test(text)) return undefined;
  return text
    .replace(/\[\d*\]/g, '')
    .replace(/[:=].*$/, '')
    .trim();
}

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
}

/** Every key of a schema, without the positions in lists. */
function keysOf(schema: Schema, before = ''): Set<string> {
  const keys = new Set<string>();
  const parts = [
    ...(schema.items ? [schema.items] : []),
    ...(schema.anyOf ?? []),
  ];
  for (const part of parts)
    for (const key of keysOf(part, before)) keys.add(key);
  for (const [name, own] of Object.entries(schema.properties ?? {})) {
    const key = before ? `${before}.${name}` : name;
    keys.add(key);
    for (const below of keysOf(own, key)) keys.add(below);
  }
  return keys;
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true })
    .map(name => path.join(folder, String(name)))
    .filter(name => name.endsWith(ending));
}

it('files that are named are there', () => {
  const file = /^(?:src|ts|testing|scripts|__test__|examples)\/[\w/.-]+\.\w+$/;
  const named = code.filter(({ text }) => file.test(text));
  expect(named.length).toBeGreaterThan(30);
  expect(
    named.filter(({ text }) => !existsSync(path.join(ROOT, text))),
  ).toEqual([]);
});
