import { inspect, type InspectOptions } from 'node:util';

/**
 * Keeps the values of `fields` out of `util.inspect`, and so out of `console.log`.
 *
 * The object stays what it was for everything else: the method that does it is not enumerable.
 */
export function redact<T extends object>(
  object: T,
  fields: ReadonlyArray<string>,
): T {
  return Object.defineProperty(object, inspect.custom, {
    enumerable: false,
    value: (_depth: number, options: InspectOptions) =>
      inspect(withoutValues(object, fields), options),
  });
}

function withoutValues(object: object, fields: ReadonlyArray<string>): object {
  const entries = Object.entries(object).map(([key, value]) => [
    key,
    fields.includes(key) && value !== undefined ? '[redacted]' : value,
  ]);
  return Object.fromEntries(entries);
}

/**
 * The same for headers, where the method is the prototype's: `fetch` reads every property of its
 * headers' own, enumerable or not.
 */
export function redactHeaders<T extends object>(headers: T): T {
  const method = {
    value(this: object, _depth: number, options: InspectOptions) {
      return inspect(withoutValues(this, Object.keys(this)), options);
    },
  };
  const prototype = Object.create(Object.prototype, {
    [inspect.custom]: method,
  });
  return Object.assign(Object.create(prototype), headers);
}
