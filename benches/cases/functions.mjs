// What is asked without a request: URLs, configuration, credentials; and loading the package.
import { createRequire } from 'node:module';
import { ConfigReader } from '@backstage/config';

const require = createRequire(import.meta.url);
const PACKAGES = {
  native: 'backstage-azure-devops-native',
  upstream: '@backstage/integration',
};
const SECONDS = 0.6;
const ORGANIZATIONS = 20;

/** The functions in turn for each case, with how often each is called at once. */
const FUNCTIONS = { translate, configure, choose };

export const cases = [
  ['URL translation', 'translate'],
  ['config reading', 'configure'],
  ['credential choice', 'choose'],
  ['loading the package', 'load'],
].map(([name, asked]) => ({
  group: 'functions',
  name,
  contenders: Object.keys(PACKAGES),
  rounds: 5,
  options: { asked },
}));

/** Calls a function for so many seconds; before, for as long to warm up. */
export async function prepare({ contender, options: { asked } }) {
  const name = PACKAGES[contender];
  if (asked === 'load') {
    return () => {
      require(name);
      return { units: 1 };
    };
  }
  const call = FUNCTIONS[asked](require(name));
  const callFor = async () => {
    const end = performance.now() + SECONDS * 1000;
    let units = 0;
    while (performance.now() < end) {
      for (let n = 0; n < 100; n += 1) await call(units + n);
      units += 100;
    }
    return { units };
  };
  await callFor();
  return callFor;
}

function translate({ getAzureFileFetchUrl }) {
  return n =>
    void getAzureFileFetchUrl(
      `https://dev.azure.com/org/project/_git/repo?path=/services/s${n}/catalog-info.yaml&version=GBmain`,
    );
}

function configure({ readAzureIntegrationConfigs }) {
  const azure = [{ host: 'dev.azure.com', credentials: credentials() }];
  const configs = new ConfigReader({ azure }).getConfigArray('azure');
  return () => void readAzureIntegrationConfigs(configs);
}

function choose({ AzureIntegration, DefaultAzureDevOpsCredentialsProvider }) {
  const integration = new AzureIntegration({
    host: 'dev.azure.com',
    credentials: credentials().map(it => ({
      ...it,
      kind: 'PersonalAccessToken',
    })),
  });
  const provider = DefaultAzureDevOpsCredentialsProvider.fromIntegrations({
    azure: { list: () => [integration] },
  });
  return n =>
    provider.getCredentials({
      url: `https://dev.azure.com/org-${n % ORGANIZATIONS}/project/_git/repo-${n}`,
    });
}

function credentials() {
  return Array.from({ length: ORGANIZATIONS }, (_, n) => ({
    organizations: [`org-${n}`],
    personalAccessToken: `token-${n}`,
  }));
}
