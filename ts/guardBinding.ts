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
 * configuration with its secrets.
 */
export function guardBinding<B extends object>(binding: B): B {
  const guarded = Object.entries(binding).map(([name, own]) => {
    if (typeof own !== 'function') return [name, own];
    return [name, /^[A-Z]/.test(name) ? guardClass(own) : guard(own)];
  });
  return Object.fromEntries(guarded);
}

type Class = Call & (new (...args: unknown[]) => object);

/**
 * Guards the methods of a class: those of its instances in their places, and its own in a class below it,
 * because they cannot be replaced.
 */
function guardClass(own: Class): unknown {
  for (const [name, method] of methodsOf(own.prototype)) {
    Object.defineProperty(own.prototype, name, { value: guard(method) });
  }
  const below = class extends own {};
  for (const [name, method] of methodsOf(own)) {
    Object.defineProperty(below, name, { value: guard(method.bind(own)) });
  }
  return below;
}

function methodsOf(owner: object): Array<[name: string, method: Call]> {
  const properties = Object.entries(Object.getOwnPropertyDescriptors(owner));
  return properties.flatMap(([name, { value }]) =>
    typeof value === 'function' && name !== 'constructor'
      ? [[name, value]]
      : [],
  );
}

function guard(call: Call): Call {
  return function guarded(...args) {
    try {
      return call.apply(this, args);
    } catch (error) {
      throw withoutValue(error);
    }
  };
}

function withoutValue(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (!OTHER_TYPE.test(String(code))) return error;
  const [, type, place] = EXPECTED.exec(String(message)) ?? [];
  const what = place?.split('.').at(-1) ?? 'an argument';
  const expected = TYPES[type];
  return new TypeError(
    `backstage-azure-devops-native cannot take a value of this type for ${what}${expected ? `: ${expected} was expected` : ''}`,
  );
}
