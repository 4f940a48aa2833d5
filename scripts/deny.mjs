// Checks licences, origins and bans of the crates in a binary: what can be said without asking anybody.
import { cargoDeny } from './lib/cargo-deny.mjs';

process.exitCode = cargoDeny('bans', 'licenses', 'sources');
