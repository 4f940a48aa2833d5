import { existsSync } from 'node:fs';
import path from 'node:path';
import type { AppConfig, Config, ConfigReader } from '@backstage/config';
import type { ConfigurationReport } from '../diagnosis/report';
import { UsageError } from './ExitCode';
import { findApp, resolveInApp } from './findApp';
import { unsetVariables } from './unsetVariables';

/** How the command line says what is read, and as whom. */
export interface SourceOptions {
  /** Files in place of the default ones. */
  config?: string[];
  /** A host without an app. */
  host?: string;
  /** The environment variable that holds a personal access token for that host. */
  tokenEnv?: string;
}

/** The configuration, and what is to be said of it. */
export interface Loaded {
  config: Config;
  report: ConfigurationReport;
}

const WITHOUT_LOADER =
  'Run it in the folder of a Backstage app with @backstage/backend-defaults or @backstage/cli installed, or name a host by --host, with --token-env NAME for its token';

/**
 * The configuration as the command line names it: one host by `--host` and `--token-env`; else the files
 * that Backstage itself would read here.
 *
 * @throws UsageError where options cannot be used together, a variable is not set, or nothing could read a
 * file that was named.
 */
export async function loadConfiguration(
  options: SourceOptions,
): Promise<Loaded> {
  const { config = [], host, tokenEnv } = options;
  if (config.length > 0 && (host !== undefined || tokenEnv !== undefined)) {
    throw new UsageError(
      '--config cannot be used with --host or --token-env: the configuration names hosts and their credentials',
    );
  }
  if (host !== undefined || tokenEnv !== undefined) {
    return ofOneHost(host ?? 'dev.azure.com', tokenEnv);
  }
  return ofApp(config);
}

function ofOneHost(host: string, tokenEnv: string | undefined): Loaded {
  const token = tokenEnv === undefined ? undefined : variable(tokenEnv);
  const credentials = token && [{ personalAccessToken: token }];
  const integration = { host, ...(credentials && { credentials }) };
  const source =
    tokenEnv === undefined
      ? `--host ${host}`
      : `--host ${host} with the token in ${tokenEnv}`;
  return {
    config: configOf({ integrations: { azure: [integration] } }),
    report: { source, files: [], problems: [] },
  };
}

/** What a variable holds; its value is never shown. */
function variable(name: string): string {
  const value = process.env[name]?.trim();
  if (value) return value;
  // What was given may be the token itself, so it is not repeated.
  throw new UsageError(
    'The environment variable that --token-env names is not set, or is empty: it takes the name of a variable, and not a token',
  );
}

async function ofApp(files: string[]): Promise<Loaded> {
  const app = findApp(process.cwd());
  const named = files[0] && { root: path.dirname(path.resolve(files[0])) };
  const loader = [app, named, { root: process.cwd() }]
    .map(place => place && resolveInApp(place, '@backstage/config-loader'))
    .find(found => found !== undefined);
  if (!loader) {
    if (files.length > 0) {
      throw new UsageError(
        `There is nothing here that reads configuration as Backstage does. ${WITHOUT_LOADER}`,
      );
    }
    return withoutAny(
      app
        ? `In ${app.root} there is nothing that reads configuration as Backstage does: @backstage/backend-defaults, @backstage/cli or @backstage/config-loader`
        : `No configuration was found from ${process.cwd()} upwards`,
    );
  }
  return load(loader, app?.root ?? process.cwd(), files);
}

/** Without a configuration there is `dev.azure.com`, with the default chain. */
function withoutAny(message: string): Loaded {
  return {
    config: configOf({}),
    report: {
      source: 'none was found',
      files: [],
      problems: [{ state: 'problem', message, advice: WITHOUT_LOADER }],
    },
  };
}

type Loader = typeof import('@backstage/config-loader');
type Source = ReturnType<Loader['ConfigSources']['default']>;

/** A file that was read, or what else configuration comes from. */
export interface ConfigData extends AppConfig {
  path?: string;
}

async function load(
  loader: string,
  rootDir: string,
  files: string[],
): Promise<Loaded> {
  const { ConfigSources } = require(loader) as Loader;
  const sourceWith = (substitutionFunc?: Substitution, named = files) =>
    ConfigSources.default({
      argv: named.flatMap(file => ['--config', file]),
      rootDir,
      watch: false,
      allowMissingDefaultConfig: true,
      substitutionFunc,
      ...(files.some(file => file.includes('://')) && {
        remote: { reloadInterval: { hours: 1 } },
      }),
    });
  const configs = await readOnce(sourceWith()).catch(async error => {
    const one = async (file: string) => readOnce(sourceWith(undefined, [file]));
    throw await ofOneFile(
      error,
      files.length > 0 ? files : defaults(rootDir),
      one,
    );
  });
  if (configs.length === 0) {
    return withoutAny(`No configuration was found in ${rootDir}`);
  }
  const config = reader().fromConfigs(configs);
  const unset = await unsetVariables(config, async substitution =>
    reader().fromConfigs(await readOnce(sourceWith(substitution))),
  );
  return {
    config,
    report: {
      source: files.length > 0 ? '--config' : `the app in ${rootDir}`,
      files: configs.map(({ path: file, context }) => file ?? context),
      problems: unset,
    },
  };
}

/** The files that are read where none is named, as far as they are there. */
function defaults(rootDir: string): string[] {
  const environments = (process.env.BACKSTAGE_ENV ?? '').split(',');
  const names = ['', ...environments].flatMap(name => {
    const of = name.trim() && `.${name.trim()}`;
    return [`app-config${of}.yaml`, `app-config${of}.local.yaml`];
  });
  const files = [...new Set(names)].map(name => path.join(rootDir, name));
  return files.filter(file => existsSync(file));
}

/** The error, with the file that it is about: by itself it does not say which that is. */
async function ofOneFile(
  error: unknown,
  files: string[],
  read: (file: string) => Promise<unknown>,
): Promise<Error> {
  for (const file of files) {
    try {
      await read(file);
    } catch (own) {
      return new Error(`${file} cannot be read: ${withoutSnippet(own)}`);
    }
  }
  return new Error(withoutSnippet(error));
}

/** What an error says before the lines of the file that it shows, which may hold a secret. */
function withoutSnippet(error: unknown): string {
  return (error as Error).message.split('\n')[0].replace(/:$/, '');
}

/** Gives the value of a variable, as Backstage asks for it. */
export type Substitution = (name: string) => Promise<string | undefined>;

/** What a source has now: it would go on and watch it. */
async function readOnce(source: Source): Promise<ConfigData[]> {
  const controller = new AbortController();
  try {
    const { signal } = controller;
    for await (const { configs } of source.readConfigData({ signal })) {
      return configs;
    }
    return [];
  } finally {
    controller.abort();
  }
}

/** Loaded late: what needs no configuration starts without it. */
function reader(): typeof ConfigReader {
  return (require('@backstage/config') as typeof import('@backstage/config'))
    .ConfigReader;
}

function configOf(data: object): Config {
  return reader().fromConfigs([
    { context: 'command line', data: data as AppConfig['data'] },
  ]);
}
