// What is asked without a request: URLs, configuration, credentials; and loading the package.
import { createRequire } from 'node:module';
import { ConfigReader } from '@backstage/config';

const require = createRequire(import.meta.url);
const PACKAGES = {
  native: 'backstage-azure-devops-native',
  upstream: '@backstage/integration',
};
const ORGANIZATIONS = 20;

/** What is called, and how often: enough for all of it to be compiled. */
const FUNCTIONS = {
  translate: [translate, 200_000],
  configure: [configure, 4_000],
  choose: [choose, 60_000],
};

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
  figures: ['ms', 'cpuMs', ...(asked === 'load' ? ['peakMiB'] : [])],
  options: { asked },
}));

/** Calls a function so often; before, for a half of that to warm up. */
export async function prepare({ contender, options: { asked } }) {
  const name = PACKAGES[contender];
  if (asked === 'load') {
    return () => {
      require(name);
      return { units: 1 };
    };
  }
  const [make, count] = FUNCTIONS[asked];
  const call = make(require(name));
  const callMany = async units => {
    for (let n = 0; n < units; n += 1) {
      const answer = call(n);
      if (answer instanceof Promise) await answer;
    }
    return { units };
  };
  await callMany(count / 2);
  return () => callMany(count);
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
