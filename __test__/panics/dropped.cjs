// Lets go of an object whose end panics, and says whether the process lived on: `node --expose-gc dropped.cjs FOLDER`.
const path = require('node:path');
const { native } = require(path.join(process.argv[2], 'dist/binding.js'));

const CLASSES = {
  AzureUrl: () =>
    native().AzureUrl.fromRepoUrl('https://dev.azure.com/o/p/_git/r'),
  Cancellation: () => new (native().Cancellation)(),
  Credentials: () => native().Credentials.fromIntegrations([]),
};

async function main() {
  for (const [name, make] of Object.entries(CLASSES)) {
    native().panicAt('end of an object');
    make();
    await collected();
    const isLeft = native().disarmPanics().length > 0;
    console.log(`${name} ${isLeft ? 'was not collected' : 'is gone'}`);
  }
  console.log(native().hostOf('https://dev.azure.com/o'));
}

async function collected() {
  for (let turn = 0; turn < 20; turn += 1) {
    global.gc();
    await new Promise(resolve => setImmediate(resolve));
  }
}

main();
