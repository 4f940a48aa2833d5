/** What all questions are generated from; `PARITY_SEED` gives others. */
export const seed = Number(process.env.PARITY_SEED ?? 20240229);
