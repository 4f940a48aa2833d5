import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { standIn, type Hosted } from '../testing/azure-devops';

const run = promisify(execFile);
const azure = standIn();

let hosted: Hosted;

beforeAll(async () => {
  hosted = await azure.addRepository({
    organization: 'process',
    project: 'p',
    repository: 'r',
    files: { 'a.txt': 'content' },
  });
});

beforeEach(() => {
  azure.reset();
  azure.anonymous.add('process');
});

it('ends when it has nothing more to do', async () => {
  expect(await runs('idle')).toBe('content\n');
});

it('may exit while reads are under way', async () => {
  azure.misbehave({ delayMs: 2_000 });
  await expect(runs('exit')).rejects.toMatchObject({ code: 7, signal: null });
});

it('may read in worker threads, which may end at any time', async () => {
  expect(await runs('workers')).toBe('content\n');
});

it('is loaded with import as with require', async () => {
  const names = (how: string) => [
    '-e',
    `${how}.then(m => console.log(Object.keys(m).filter(k => k !== 'module.exports' && k !== '__esModule').sort().join()))`,
  ];
  const name = 'backstage-azure-devops-native';
  const required = await node(names(`Promise.resolve(require('${name}'))`));
  expect(await node(names(`import('${name}')`))).toBe(required);
  expect(required).toContain('AzureUrlReader');
  expect(required).toContain('default');
});

/** Runs a script in a process of its own and gives what it printed. */
async function runs(script: string): Promise<string> {
  const file = path.join(__dirname, 'process', `${script}.mjs`);
  return node([file, hosted.webUrl({ path: '/a.txt', at: 'server' })]);
}

async function node(args: string[]): Promise<string> {
  const options = { cwd: __dirname, timeout: 30_000 };
  const { stdout } = await run(process.execPath, args, options);
  return stdout;
}
