/** @type {import('jest').Config} */
module.exports = {
  // A backend that was stopped leaves a timer of Backstage's own behind.
  forceExit: true,
  roots: ['<rootDir>/__test__'],
  testMatch: ['**/*.test.ts'],
  // Those that make panics need an addon of their own: npm run test-panics.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/__test__/panics/'],
  // Each file in a process of its own: what the addon keeps, counts and has told is the process's.
  workerIdleMemoryLimit: '1MB',
  // Jest itself leaves one core alone: on two it would run one file after the other.
  maxWorkers: '100%',
  testSequencer: '<rootDir>/__test__/sequencer.cjs',
  globalSetup: '<rootDir>/__test__/setUp.ts',
  testEnvironment: '<rootDir>/__test__/environment.ts',
  // Thousands of generated questions share the cores with other files.
  testTimeout: 120_000,
  // Backstage's backend requires it, which Node can though it is an ES module, and Jest cannot.
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  transform: {
    '\\.ts$|/node_modules/jose/': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
      },
    ],
  },
};
