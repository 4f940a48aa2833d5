/** Which way requests go from a process with an environment of its own. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  makeCertificates,
  type Certificates,
} from '../../testing/azure-devops/certificates';
import { RecordingProxy } from './RecordingProxy';
import { targetOf } from './target';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const run = promisify(execFile);
const SCRIPT = path.join(__dirname, 'ask.mjs');

/** Who asks: a `fetch` that goes as Node 24's, or a reader of this package. */
export type Asker = 'fetch' | 'reader';

/** Variables of an environment; `{2}` in one stands for the port of the third proxy. */
export type Variables = Record<string, string | undefined>;

/** How one URL was asked for. */
export interface Way {
  /** `direct`, or the number of the proxy, how it was spoken to, and as whom. */
  way: string;
  /** Why nothing was read. */
  message: string;
}

/** What of this process's environment says who signs in and how the network is reached. */
const LEFT_OUT = /^(AZURE|IDENTITY|MSI|IMDS|NODE)_|_proxy$|^REQUEST_METHOD$/i;

/** The proxies' authority, and processes that ask through them. */
export class Ways {
  readonly #folder = temporaryFolder('proxies');
  readonly #caFile = path.join(this.#folder, 'ca.pem');
  readonly #certificates: Certificates;

  static async start(): Promise<Ways> {
    return new Ways(await makeCertificates(['localhost']));
  }

  private constructor(certificates: Certificates) {
    this.#certificates = certificates;
    writeFileSync(this.#caFile, certificates.ca);
  }

  /** Asks for the URLs side by side; no two of them lead to one host and port. */
  async of(
    asker: Asker,
    variables: Variables,
    urls: string[],
    proxyInCode?: string,
  ): Promise<Way[]> {
    const proxies = await this.#startProxies([
      ...Object.values(variables),
      proxyInCode,
    ]);
    const bound = (value: string) =>
      value.replace(/\{(\d)\}/g, (_, n) => String(proxies[Number(n)].port));
    try {
      const args = [SCRIPT, asker, JSON.stringify(urls)];
      if (proxyInCode) args.push(bound(proxyInCode));
      const { stdout } = await run(process.execPath, args, {
        env: this.#environment(asker, variables, bound),
      });
      const messages: string[] = JSON.parse(stdout);
      expectNothingElse(proxies, urls);
      return urls.map((url, n) => ({
        way: wayOf(url, proxies),
        message: messages[n],
      }));
    } finally {
      await Promise.all(proxies.map(proxy => proxy.close()));
    }
  }

  async #startProxies(
    values: Array<string | undefined>,
  ): Promise<RecordingProxy[]> {
    const numbers = values.flatMap(value =>
      [...(value ?? '').matchAll(/\{(\d)\}/g)].map(([, n]) => Number(n)),
    );
    const length = Math.max(-1, ...numbers) + 1;
    return Promise.all(
      Array.from({ length }, () => RecordingProxy.start(this.#certificates)),
    );
  }

  #environment(
    asker: Asker,
    variables: Variables,
    bound: (value: string) => string,
  ): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !LEFT_OUT.test(name),
    );
    const given = Object.entries(variables).map(([name, value]) => [
      name,
      value === undefined ? value : bound(value),
    ]);
    return {
      ...Object.fromEntries(inherited),
      ...Object.fromEntries(given),
      NODE_EXTRA_CA_CERTS: this.#caFile,
      NODE_NO_WARNINGS: '1',
      // A machine without a network does not wait long for names.
      RES_OPTIONS: 'timeout:1 attempts:1',
      ...(asker === 'fetch' ? { NODE_USE_ENV_PROXY: '1' } : {}),
    };
  }
}

function wayOf(url: string, proxies: RecordingProxy[]): string {
  const target = targetOf(url);
  const ways = proxies.flatMap(({ asked }, n) =>
    asked
      .filter(one => one.target === target)
      .map(({ protocol, user }) => {
        const as = user === undefined ? '' : ` as ${user}`;
        return `proxy ${n} by ${protocol}${as}`;
      }),
  );
  return [...new Set(ways)].join(' and ') || 'direct';
}

function expectNothingElse(proxies: RecordingProxy[], urls: string[]): void {
  const targets = new Set(urls.map(targetOf));
  const others = proxies
    .flatMap(({ asked }) => asked)
    .filter(({ target }) => !targets.has(target));
  if (others.length > 0) {
    throw new Error(`asked for besides: ${JSON.stringify(others)}`);
  }
}
