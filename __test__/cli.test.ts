import Ajv from 'ajv';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DEFAULT_TOKEN, standIn, type Hosted } from '../testing/azure-devops';
import { appWith, cli, type CliResult } from '../testing/cli';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';
import schema from '../docs/cli.schema.json';

const azure = standIn();
const validate = new Ajv({ allErrors: true });
const BYTES = Buffer.from([0, 255, 254, 13, 10, 0]);

let hosted: Hosted;

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'org',
    project: 'Project',
    repository: 'repo',
    files: {
      'catalog-info.yaml': 'kind: Component\n',
      'bytes.bin': BYTES,
      'large.bin': Buffer.alloc(8 * 1024 * 1024, 'x'),
      'docs/index.md': '# Docs\n',
      'docs/run.sh': { content: '#!/bin/sh\n', mode: '100755' },
    },
  });
});

beforeEach(() => azure.reset());

const at = (file?: string) =>
  hosted.webUrl({ at: 'server', ...(file && { path: file }) });

/** The command with the stand-in's Server as its host. */
async function run(
  args: string[],
  options: Parameters<typeof cli>[1] = {},
): Promise<CliResult> {
  const own = ['--host', azure.host, '--token-env', 'THE_TOKEN'];
  const result = await cli([...args, ...own], {
    ...options,
    env: { THE_TOKEN: DEFAULT_TOKEN, ...options.env },
  });
  expect(`${result.stdout}${result.stderr}`).not.toContain(DEFAULT_TOKEN);
  // That it is asked over plain HTTP, as the stand-in's Server is, is warned of each time.
  const stderr = result.stderr.replace(
    /^warning: .* over plain HTTP: .*\n/,
    '',
  );
  return { ...result, stderr };
}

/** An app that has the stand-in's Server with these credentials. */
function serverWith(credentials: object[]): string {
  const server = { host: azure.host, plainHttp: 'allow', credentials };
  return appWith({ integrations: { azure: [server] } });
}

/** What is printed as JSON, which is as the schema of the command says. */
async function json<T>(
  command: keyof typeof schema.properties,
  args: string[],
  options?: Parameters<typeof cli>[1],
): Promise<T> {
  const { stdout } = await run(
    [command === 'error' ? 'read' : command, '--json', ...args],
    options,
  );
  const output = JSON.parse(stdout) as T;
  const isValid = validate.compile(schema.properties[command]);
  isValid(output);
  expect(isValid.errors).toBeNull();
  return output;
}

describe('read', () => {
  it('prints a file byte for byte', async () => {
    const { code, bytes, stderr } = await run(['read', at('/bytes.bin')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(bytes.equals(BYTES)).toBe(true);
  });

  it('prints a large file whole', async () => {
    const { bytes } = await run(['read', at('/large.bin')]);
    expect(bytes).toHaveLength(8 * 1024 * 1024);
  });

  it('prints text as text and bytes in base64 with --json', async () => {
    expect(await json('read', [at('/catalog-info.yaml')])).toMatchObject({
      encoding: 'utf8',
      content: 'kind: Component\n',
      size: 16,
    });
    expect(await json('read', [at('/bytes.bin')])).toMatchObject({
      encoding: 'base64',
      content: BYTES.toString('base64'),
    });
  });

  it('says what is wrong on standard error alone, and exits with 1', async () => {
    const { code, stdout, stderr } = await run(['read', at('/none')]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .*none could not be read as .*404/);
    expect(await json('error', [at('/none')])).toMatchObject({
      error: { name: 'NotFoundError' },
    });
  });

  it('ends without a word where nobody reads the pipe any more', async () => {
    const { code, stderr } = await run(['read', at('/large.bin')], {
      meanwhile: child =>
        child.stdout!.once('data', () => child.stdout!.destroy()),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([
    ['what is no URL', 'nonsense', 'This is no URL'],
    ['a URL of GitHub', 'https://github.com/a/b', 'another integration'],
    [
      'a host that is not configured',
      'https://tfs.example/Coll/Proj/_git/repo?path=/a',
      'tfs.example is not configured',
    ],
  ])('refuses %s before anything is sent', async (_what, url, words) => {
    azure.clearRequests();
    const { code, stderr } = await run(['read', url]);
    expect(code).toBe(1);
    expect(stderr).toContain(words);
    expect(azure.requests).toEqual([]);
  });
});

describe('ls', () => {
  it('lists a folder, with a slash after folders', async () => {
    const { stdout } = await run(['ls', at()]);
    expect(stdout.split('\n')).toEqual([
      'bytes.bin',
      'catalog-info.yaml',
      'docs/',
      'large.bin',
      '',
    ]);
  });

  it('lists what matches a pattern, and exits with 1 where nothing does', async () => {
    const { stdout } = await run(['ls', at('/**/*.{md,yaml}')]);
    expect(stdout).toBe('catalog-info.yaml\ndocs/index.md\n');
    const none = await run(['ls', at('/**/*.none')]);
    expect(none).toMatchObject({ code: 1, stdout: '' });
  });

  it('gives mode, size and id with --long', async () => {
    const { entries } = await json<{ entries: object[] }>('ls', [
      '--long',
      at('/docs'),
    ]);
    expect(entries).toEqual([
      expect.objectContaining({
        path: 'docs/index.md',
        size: 7,
        mode: '100644',
      }),
      expect.objectContaining({ path: 'docs/run.sh', mode: '100755' }),
    ]);
    const short = await json<{ entries: object[] }>('ls', [at('/docs')]);
    expect(short.entries).toContainEqual({ path: 'docs/run.sh', type: 'file' });
  });
});

describe('tree', () => {
  const inside = (folder: string) => readdirSync(folder).sort();

  it('writes a repository to a folder that is not there yet, and leaves nothing beside it', async () => {
    const parent = temporaryFolder('trees');
    const output = path.join(parent, 'a/b');
    const { code, stdout } = await run(['tree', at(), '-o', output]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^5 files \(8\.0 MiB\) of commit [0-9a-f]{40} in /);
    expect(inside(path.dirname(output))).toEqual(['b']);
    expect(readFileSync(path.join(output, 'bytes.bin'))).toEqual(BYTES);
  });

  it('writes a folder of it to an empty one', async () => {
    const output = temporaryFolder('tree');
    expect(await json('tree', [at('/docs'), '-o', output])).toMatchObject({
      files: 2,
      directory: output,
    });
    expect(inside(output)).toEqual(['index.md', 'run.sh']);
  });

  it('refuses a folder that is not empty, and a file, and asks for nothing', async () => {
    const folder = temporaryFolder('full');
    writeFileSync(path.join(folder, 'mine'), 'mine');
    azure.clearRequests();
    for (const output of [folder, path.join(folder, 'mine')]) {
      const { code } = await run(['tree', at(), '-o', output]);
      expect(code).toBe(2);
    }
    expect(azure.requests).toEqual([]);
    expect(inside(folder)).toEqual(['mine']);
  });

  it('leaves nothing where it fails', async () => {
    const parent = temporaryFolder('failed');
    const output = path.join(parent, 'a/b');
    const { code } = await run(['tree', at('/none'), '-o', output]);
    expect(code).toBe(1);
    expect(inside(parent)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves nothing where it is ended by %s',
    async signal => {
      const parent = temporaryFolder('ended');
      const undo = azure.misbehave({
        match: 'download=true',
        stallAfter: 1000,
      });
      const { code } = await run(
        ['tree', at(), '-o', path.join(parent, 'out')],
        {
          meanwhile: child => {
            const timer = setInterval(() => {
              if (readdirSync(parent).length === 0) return;
              clearInterval(timer);
              setTimeout(() => child.kill(signal), 300);
            }, 20);
          },
        },
      );
      undo();
      expect(code).toBe(130);
      expect(inside(parent)).toEqual([]);
    },
  );
});

describe('translate', () => {
  it('shows what a URL names, without any configuration or request', async () => {
    const url =
      'https://dev.azure.com/org/My%20Project/_git/repo?path=/a b.md&version=GTv1';
    const { code, stdout } = await cli(['translate', '--json', url]);
    expect(code).toBe(0);
    const output = JSON.parse(stdout) as object;
    const isValid = validate.compile(schema.properties.translate);
    expect(isValid(output)).toBe(true);
    expect(output).toMatchObject({
      organization: 'org',
      project: 'My Project',
      path: '/a b.md',
      ref: 'v1',
      refType: 'tag',
    });
    expect(azure.proxyRequests).toEqual([]);
  });
});

describe('bench', () => {
  it('measures both readers of a repository, few requests and no cache', async () => {
    azure.clearRequests();
    const output = await json<{
      builtInVersion: string;
      cases: Array<{ name: string; ratio?: number }>;
    }>('bench', ['--rounds', '1', at('/docs/index.md')], { cwd: appWith({}) });
    expect(output.builtInVersion).toMatch(/^0\./);
    expect(output.cases.map(({ name }) => name)).toEqual([
      'readUrl /docs/index.md',
      'search /docs/**/index.md',
      'readTree /docs',
    ]);
    expect(output.cases.every(({ ratio }) => ratio! > 0)).toBe(true);
    expect(azure.requests.length).toBeLessThan(30);
  });

  it('measures ours alone where the built-in reader is not installed', async () => {
    const output = await json<{ cases: Array<{ ratio?: number }> }>('bench', [
      '--rounds',
      '1',
      at('/docs/index.md'),
    ]);
    expect(output.cases.map(({ ratio }) => ratio)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('doctor', () => {
  it('says JSON as its schema has it', async () => {
    const output = await json<{ isHealthy: boolean }>('doctor', [
      at('/catalog-info.yaml'),
      at('/none'),
      'nonsense',
    ]);
    expect(output.isHealthy).toBe(false);
  });

  it('exits with 0 where all is well, and says who is signed in, by which credential', async () => {
    const { code, stdout } = await run(['doctor', at('/catalog-info.yaml')]);
    expect(code).toBe(0);
    expect(stdout).toContain('signed in as Jane Doe (jane@fabrikam.com)');
    expect(stdout).toContain('integrations.azure[0].credentials[0]');
    expect(stdout).toContain('No problem');
  });

  it('says that no configuration was found', async () => {
    const { code, stdout } = await cli(['doctor']);
    expect(code).toBe(1);
    expect(stdout).toContain('No configuration was found');
  });

  it('reads the configuration as Backstage does: the defaults, --config as often as wanted, included files and the environment', async () => {
    const credentials = { personalAccessToken: { $file: 'token.txt' } };
    const app = appWith(
      {
        integrations: {
          azure: [{ host: '${HOST}', credentials: [credentials] }],
        },
      },
      {
        'token.txt': `${DEFAULT_TOKEN}\n`,
        'more.yaml': 'app: { title: more }',
      },
    );
    const folder = path.join(app, 'packages');
    mkdirSync(folder);
    const env = { HOST: azure.host };
    const usual = await cli(['doctor', '--json', at('/catalog-info.yaml')], {
      cwd: folder,
      env,
    });
    const diagnosis = JSON.parse(usual.stdout);
    expect(diagnosis).toMatchObject({ isHealthy: true });
    expect(diagnosis.configuration.files).toEqual([
      path.join(app, 'app-config.yaml'),
    ]);
    const files = ['app-config.yaml', 'more.yaml'].map(name =>
      path.join(app, name),
    );
    const named = await cli(
      ['doctor', '--json', ...files.flatMap(file => ['--config', file])],
      { env },
    );
    expect(JSON.parse(named.stdout).configuration.files).toEqual(files);
  });

  it('looks at the organizations of static locations', async () => {
    const app = appWith({
      integrations: {
        azure: [
          {
            host: azure.host,
            credentials: [{ personalAccessToken: DEFAULT_TOKEN }],
          },
        ],
      },
      catalog: {
        locations: [{ type: 'url', target: at('/catalog-info.yaml') }],
      },
    });
    const { stdout } = await cli(['doctor', '--json'], { cwd: app });
    const { organizations } = JSON.parse(stdout);
    expect(organizations).toEqual([
      expect.objectContaining({ organization: 'org', canReadCode: true }),
    ]);
  });

  it('asks an identity no more than a few things at once, also of a hundred organizations', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `org-${index}`);
    const git = hosted.git;
    for (const organization of names) {
      await azure.addRepository({
        organization,
        project: 'p',
        repository: 'r',
        git,
      });
    }
    const app = serverWith([
      { organizations: names, personalAccessToken: DEFAULT_TOKEN },
    ]);
    azure.clearRequests();
    const { code, stdout } = await cli(['doctor', '--json'], { cwd: app });
    expect(code).toBe(0);
    const { organizations } = JSON.parse(stdout);
    expect(organizations).toHaveLength(100);
    const own = azure.requests.filter(it => it.credential === 'pat');
    // Two of the questions about an organization are asked side by side.
    expect(
      Math.max(...own.map(({ inProgress }) => inProgress)),
    ).toBeLessThanOrEqual(12);
    expect(own.length).toBeLessThanOrEqual(400);
  });

  it('asks little where one credential is refused by a hundred organizations', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `refused-${index}`);
    const personalAccessToken = 'a-token-that-nobody-knows';
    const app = serverWith([
      { organizations: names, personalAccessToken },
      { personalAccessToken },
    ]);
    azure.clearRequests();
    const { code, stdout } = await cli(['doctor', '--json'], { cwd: app });
    expect(code).toBe(1);
    expect(JSON.parse(stdout).organizations).toHaveLength(100);
    expect(azure.requests.length).toBeLessThan(300);
  });

  it('sends no credential over plain HTTP where a reader refuses that', async () => {
    const url = at('/catalog-info.yaml');
    const app = appWith({
      integrations: {
        azure: [
          {
            host: azure.host,
            plainHttp: 'refuse',
            credentials: [{ personalAccessToken: DEFAULT_TOKEN }],
          },
        ],
      },
      catalog: { locations: [{ type: 'url', target: url }] },
    });
    azure.clearRequests();
    const { code, stdout } = await cli(['doctor', url], { cwd: app });
    expect(code).toBe(1);
    expect(stdout).toContain('is not asked in plain text');
    expect(azure.requests.filter(it => it.credential !== 'none')).toEqual([]);
  });

  it('finds out the same for each spelling of an organization', async () => {
    const urls = ['org', 'ORG'].map(name =>
      at('/none').replace('/org/', `/${name}/`),
    );
    const { urls: found, organizations } = await json<{
      urls: Array<{ cause: { at: string } }>;
      organizations: object[];
    }>('doctor', urls);
    expect(organizations).toHaveLength(1);
    expect(found.map(({ cause }) => cause.at)).toEqual(['path', 'path']);
  });

  it('shows no argument that is no URL of the web: it may be a token', async () => {
    const { stdout, stderr } = await run(['doctor', 'user:s3cretpass']);
    expect(`${stdout}${stderr}`).not.toContain('s3cretpass');
    expect(stdout).toContain('this is no URL');
  });

  it('shows no secret of a URL', async () => {
    const url = at('/a').replace('http://', 'http://user:s3cretpass@');
    const { stdout, stderr } = await run(['doctor', url]);
    expect(`${stdout}${stderr}`).not.toContain('s3cretpass');
  });
});

describe('the command', () => {
  it.each([
    ['an unknown command', ['bogus']],
    ['an unknown option', ['read', '--bogus', 'x']],
    ['a missing argument', ['read']],
    ['a bound that is no number', ['doctor', '--timeout', 'soon']],
    ['a variable that is not set', ['doctor', '--token-env', 'NOT_SET_HERE']],
    [
      'options that exclude each other',
      ['doctor', '--host', 'a', '--config', 'b'],
    ],
    ['a token in place of a variable', ['doctor', '--token-env', 'abc-def']],
  ])('exits with 2 for %s', async (_what, args) => {
    const { code, stdout, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: /);
  });

  it('has help for each command', async () => {
    for (const name of ['doctor', 'read', 'ls', 'tree', 'translate', 'bench']) {
      const { code, stdout } = await cli([name, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain(`npx backstage-azure-devops-native ${name}`);
    }
  });

  it('has colours where they are wanted, and none with NO_COLOR, --no-color or a pipe', async () => {
    const colored = async (args: string[], env = {}) =>
      (await run(['doctor', at(), ...args], { env })).stdout.includes(
        '\u001b[',
      );
    expect(await colored([])).toBe(false);
    expect(await colored([], { FORCE_COLOR: '1' })).toBe(true);
    expect(await colored([], { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
    expect(await colored(['--no-color'], { FORCE_COLOR: '1' })).toBe(false);
  });

  it('is linked by the package', () => {
    const { bin } = require('../package.json') as {
      bin: Record<string, string>;
    };
    const file = path.join(
      __dirname,
      '..',
      bin['backstage-azure-devops-native'],
    );
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
