/** Why something fails, which it has to. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => Promise.reject(new Error('was not rejected')),
    error => error,
  );
}
