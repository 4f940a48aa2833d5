// Asks for a token with Microsoft's own client, as the process's environment leads it. Arguments:
// the name of a credential's class, and as JSON what its constructor is given.
import * as identity from '@azure/identity';

const [name, given] = process.argv.slice(2);
const credential = new identity[name](...JSON.parse(given));
try {
  const scope = '499b84ac-1321-427f-aa17-267ca6975798/.default';
  const { token, expiresOnTimestamp } = await credential.getToken(scope);
  console.log(JSON.stringify({ token, expiresOnTimestamp }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
