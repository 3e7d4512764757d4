import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageFiles } from './package-files.ts';
import { zip } from './zip.ts';

/** Makes dist/package.zip of what is built, and says how large it is. */
const LARGEST = 5 * 1024 * 1024;
const root = fileURLToPath(new URL('../..', import.meta.url));

const entries = packageFiles(root).map((path) => ({ path, bytes: readFileSync(`${root}${path}`) }));
const archive = zip(entries);
const unpacked = entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
writeFileSync(`${root}dist/package.zip`, archive);
const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(2)} MB`;
console.log(`dist/package.zip: ${entries.length} files, ${megabytes(unpacked)}, packed ${megabytes(archive.length)}`);
if (unpacked > LARGEST) {
  console.error(`A package is ${megabytes(LARGEST)} at most: look at what the bundle took in.`);
  process.exitCode = 1;
}
