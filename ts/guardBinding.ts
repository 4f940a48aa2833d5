type Call = (this: unknown, ...args: unknown[]) => unknown;

/** The status that Node-API gives where a value is of another type than was expected. */
const OTHER_TYPE = /^(?:InvalidArg|[A-Za-z]+Expected)$/;

/** How the binding's message about such a value ends, after the value itself. */
const EXPECTED = /into rust type `(\w+)`(?: on ([\w.]+))?[\w. ]*$/;

/** What JavaScript calls the types of the binding's messages. */
const TYPES: Record<string, string> = {
  bool: 'a boolean',
  f64: 'a number',
  u32: 'a number',
  String: 'a string',
};

/**
 * The same binding, whose calls never print what they were given.
 *
 * Of a value that it cannot convert the binding's own message shows all: a URL with its password, or a
 * configuration with its secrets. The message of a panic may hold the same.
 */
export function guardBinding<B extends Panicking>(binding: B): B {
  const withoutValue: Replace = error =>
    binding.takePanicked() ? panicked() : ofOtherType(error);
  const guarded = Object.entries(binding).map(([name, own]) => {
    if (typeof own !== 'function') return [name, own];
    const isClass = /^[A-Z]/.test(name);
    return [name, (isClass ? guardClass : guard)(own, withoutValue)];
  });
  return Object.fromEntries(guarded);
}

/** A binding that knows whether its last failure was a panic. */
interface Panicking {
  takePanicked(): boolean;
}

/** The error to throw in place of one of the binding's. */
type Replace = (error: unknown) => unknown;

type Class = Call & (new (...args: unknown[]) => object);

/**
 * Guards a class: what its instances have in their places, and its constructor and own methods in a class
 * below it, because they cannot be replaced.
 */
function guardClass(own: Class, replace: Replace): unknown {
  for (const [name, { get, value }] of propertiesOf(own.prototype)) {
    const guarded = get
      ? { get: guard(get, replace) as () => unknown }
      : { value: guard(value, replace) };
    Object.defineProperty(own.prototype, name, guarded);
  }
  const below = class extends own {
    constructor(...args: unknown[]) {
      try {
        super(...args);
      } catch (error) {
        throw replace(error);
      }
    }
  };
  for (const [name, { value }] of propertiesOf(own)) {
    const guarded = guard(value.bind(own), replace);
    Object.defineProperty(below, name, { value: guarded });
  }
  return below;
}

/** The methods and getters. */
function propertiesOf(
  owner: object,
): Array<[name: string, property: PropertyDescriptor]> {
  const properties = Object.entries(Object.getOwnPropertyDescriptors(owner));
  return properties.filter(
    ([name, { get, value }]) =>
      (get ?? typeof value === 'function') && name !== 'constructor',
  );
}

function guard(call: Call, replace: Replace): Call {
  return function guarded(...args) {
    try {
      return call.apply(this, args);
    } catch (error) {
      throw replace(error);
    }
  };
}

function panicked(): Error {
  return new Error(
    'backstage-azure-devops-native panicked, which is a bug worth reporting; standard error says where',
  );
}

function ofOtherType(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (!OTHER_TYPE.test(String(code))) return error;
  const [, type, place] = EXPECTED.exec(String(message)) ?? [];
  const what = place?.split('.').at(-1) ?? 'an argument';
  const expected = TYPES[type];
  return new TypeError(
    `backstage-azure-devops-native cannot take a value of this type for ${what}${expected ? `: ${expected} was expected` : ''}`,
  );
}
