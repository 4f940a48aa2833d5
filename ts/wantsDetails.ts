import type { RootConfigService } from '@backstage/backend-plugin-api';

/** A line of ours as the rules of `backend.logger.overrides` see it. */
const LINE: Record<string, unknown> = {
  service: 'backstage',
  plugin: 'azure-devops-native',
  event: 'request',
  level: 'debug',
};

/** The levels at which lines for `debug` are written. */
const DETAILED = ['debug', 'verbose', 'silly'];

/**
 * Whether the backend's log has the level `debug` for the lines of this package: by `LOG_LEVEL`, else by
 * `backend.logger.level`, unless the first of `backend.logger.overrides` that is about them says
 * otherwise.
 *
 * @see https://backstage.io/docs/backend-system/core-services/root-logger
 */
export function wantsDetails(config: RootConfigService): boolean {
  const overrides =
    config.getOptionalConfigArray('backend.logger.overrides') ?? [];
  const override = overrides.find(one =>
    isOf(one.getOptionalConfig('matchers')?.get() ?? {}),
  );
  const level =
    override?.getOptionalString('level') ??
    (process.env.LOG_LEVEL || config.getOptionalString('backend.logger.level'));
  return DETAILED.includes(level ?? 'info');
}

function isOf(matchers: unknown): boolean {
  return Object.entries(matchers as object).every(([field, matcher]) =>
    matches(matcher, LINE[field]),
  );
}

/** Whether a field is what a rule says: a value, a regular expression between slashes, or any of a list. */
function matches(matcher: unknown, field: unknown): boolean {
  if (Array.isArray(matcher)) return matcher.some(one => matches(one, field));
  const pattern = typeof matcher === 'string' && regularExpression(matcher);
  if (pattern) return typeof field === 'string' && pattern.test(field);
  return matcher === field;
}

function regularExpression(text: string): RegExp | undefined {
  const [, source, flags] = /^\/(.+)\/([^/]*)$/s.exec(text) ?? [];
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}
