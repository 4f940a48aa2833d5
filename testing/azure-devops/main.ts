/**
 * Runs the stand-in as a process of its own:
 * `main.ts [--repository ORGANIZATION/PROJECT/NAME=DIRECTORY]… [--pat TOKEN]…`. It prints its
 * addresses as a line of JSON and serves until its standard input ends.
 */
import { parseArgs } from 'node:util';
import { AzureDevOps } from './AzureDevOps';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      repository: { type: 'string', multiple: true, default: [] },
      pat: { type: 'string', multiple: true },
    },
  });
  const azure = await AzureDevOps.start({ tokens: values.pat });
  for (const option of values.repository) {
    const [, organization, project, repository, path] =
      option.match(/^([^/]+)\/([^/]+)\/([^=]+)=(.+)$/) ?? [];
    if (!path) throw new Error(`no repository: ${option}`);
    await azure.addRepository({ organization, project, repository, path });
  }
  const { url, proxyUrl, caFile } = azure;
  console.log(JSON.stringify({ url, proxyUrl, caFile }));
  process.stdin.resume().once('end', () => void azure.close());
}

void main();
