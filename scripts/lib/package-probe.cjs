// Copied into a folder where the tarballs are installed, and run there by each Node: each entry of the package loads both ways, and the main one reads a file.
const assert = require('node:assert/strict');
const http = require('node:http');

const NAME = 'backstage-azure-devops-native';
const ENTRIES = [NAME, `${NAME}/status`];

const contents = Buffer.from([0, 1, 2, 253, 254, 255]);

async function main() {
  for (const entry of ENTRIES) await checkImport(entry);
  await withServer(async host => {
    assert.deepEqual(await readFile(host), contents);
  });
  console.log(
    `Node ${process.version}: require and import of ${ENTRIES.join(', ')} and readUrl work`,
  );
}

async function checkImport(entry) {
  const required = require(entry);
  const imported = await import(entry);
  const names = Object.keys(required).sort();
  assert.deepEqual(Object.keys(imported).sort(), names);
  for (const name of names) {
    assert.equal(imported[name], required[name], `${entry}: ${name}`);
  }
}

async function withServer(use) {
  const server = http.createServer(answer);
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Serves one file of one repository, the way Azure DevOps Server does. */
function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const found =
    pathname === '/Coll/Proj/_apis/git/repositories/Repo/items' &&
    searchParams.get('path') === '/a.txt';
  response.statusCode = found ? 200 : 404;
  response.setHeader('content-type', 'application/octet-stream');
  response.end(found ? contents : undefined);
}

async function readFile(host) {
  const {
    AzureIntegration,
    AzureUrlReader,
    DefaultAzureDevOpsCredentialsProvider,
  } = require(NAME);
  const integration = new AzureIntegration({ host });
  const reader = new AzureUrlReader(integration, {
    treeResponseFactory: undefined,
    credentialsProvider: DefaultAzureDevOpsCredentialsProvider.fromIntegrations(
      { azure: { list: () => [integration] } },
    ),
  });
  const url = `http://${host}/Coll/Proj/_git/Repo?path=/a.txt`;
  return (await reader.readUrl(url)).buffer();
}

main().catch(error => {
  console.error(`Node ${process.version}:`, error);
  process.exitCode = 1;
});
