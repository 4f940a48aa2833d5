import type { AppConfig } from '@backstage/config';
import type { ConfigurationProblem } from '../diagnosis/report';
import type { Substitution } from './configuration';

/** The parts of the configuration that this package reads. */
const PARTS = [
  ['integrations', 'azure'],
  ['backend', 'reading', 'azureDevOps'],
];

/** Stands for the value of a variable that is not set; no value has it. */
const MARK = '\u0000unset:';

/**
 * The environment variables that our part of the configuration names and that are not set, each with the key
 * that lacks its value: Backstage leaves such keys out without a word.
 *
 * @param load - Loads the configuration with these values of variables.
 */
export async function unsetVariables(
  load: (substitution: Substitution) => Promise<AppConfig[]>,
): Promise<ConfigurationProblem[]> {
  const unset = new Set<string>();
  const configs = await load(async name => {
    const value = process.env[name]?.trim();
    if (value) return value;
    unset.add(name);
    return `${MARK}${name}\u0000`;
    // A file that is named by such a variable is not there; without its value it was not asked for.
  }).catch((): AppConfig[] => []);
  if (unset.size === 0) return [];
  const problems = configs.flatMap(({ data }) =>
    PARTS.flatMap(keys =>
      problemsIn(keys.reduce<unknown>(valueAt, data), keys.join('.')),
    ),
  );
  const seen = new Set<string>();
  return problems.filter(({ path = '', message }) => {
    const key = `${path} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function problemsIn(value: unknown, path: string): ConfigurationProblem[] {
  if (typeof value === 'string') {
    return namesIn(value).map(name => ({
      state: 'problem',
      path,
      message: `The environment variable ${name} is not set, so this key counts as missing`,
      advice: `Set ${name} where the backend is started, or take the key out`,
    }));
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      problemsIn(item, `${path}[${index}]`),
    );
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    problemsIn(inner, `${path}.${key}`),
  );
}

function namesIn(text: string): string[] {
  return text
    .split(MARK)
    .slice(1)
    .map(part => part.split('\u0000')[0]);
}
