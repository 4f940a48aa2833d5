/** The URL that a text is, if it is one; `URL.canParse` of Node 20 is wrong about some. */
export function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
