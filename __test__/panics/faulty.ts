import path from 'node:path';
import type * as Ours from 'backstage-azure-devops-native';
import type * as Binding from '../../ts/native';

/** The package with an addon in which panics can be made; `npm run test-panics` puts it there. */
export const FAULTY = path.join(__dirname, '../../temp/panics');

type Faulty = typeof Binding & {
  panicAt(place: string): void;
  disarmPanics(): string[];
};

/** The public face of that package. */
export const ours: typeof Ours = require(FAULTY);

/** Its binding. */
export const native: Faulty = require(
  path.join(FAULTY, 'dist/binding.js'),
).native();
