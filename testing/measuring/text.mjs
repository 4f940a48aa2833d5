/** Text that deflates to about a fifth, as source does. */
export function text(seed, size) {
  let state = seed + 1;
  const words = [];
  for (let length = 0; length < size;) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const word = `${(state % 4096).toString(36)}${state % 7 ? ' ' : '();\n'}`;
    words.push(word);
    length += word.length;
  }
  return words.join('').slice(0, size);
}
