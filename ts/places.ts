/** Where integrations stand in the app-config, for messages to name their credentials by. */
const places = new WeakMap<object, string>();

/** Notes where an integration stands in the app-config, as `integrations.azure[0]`. */
export function setPlace(integration: object, place: string): void {
  places.set(integration, place);
}

/** The place of an integration in the app-config; `undefined` where it does not come from there. */
export function placeOf(integration: object): string | undefined {
  return places.get(integration);
}

/** Makes what is made of an integration stand in its place. */
export function keepPlace<T extends object>(made: T, of: object): T {
  const place = places.get(of);
  if (place) places.set(made, place);
  return made;
}
