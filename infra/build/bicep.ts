import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const SYSTEMS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'osx', win32: 'win' };

/** The official compiler, in the version that infra/build/bicep.csproj pins; undefined where nobody restored it. */
export function findBicep(root: string): string | undefined {
  const [, version] = /<BicepVersion>(.+)<\/BicepVersion>/.exec(readFileSync(project(root), 'utf8')) ?? [];
  const packages = process.env.NUGET_PACKAGES || join(homedir(), '.nuget', 'packages');
  const name = `azure.bicep.commandline.${SYSTEMS[process.platform]}-${process.arch}`;
  const path = join(packages, name, version ?? '', 'tools', process.platform === 'win32' ? 'bicep.exe' : 'bicep');
  if (!existsSync(path)) return undefined;
  // NuGet unpacks without the right to run.
  chmodSync(path, 0o755);
  return path;
}

/** The same, brought from NuGet if it is not there. Throws with what to install. */
export function bringBicep(root: string): string {
  const there = findBicep(root);
  if (there !== undefined) return there;
  const { error } = spawnSync('dotnet', ['restore', project(root)], { stdio: 'inherit' });
  const brought = findBicep(root);
  if (brought !== undefined) return brought;
  throw new Error(
    `The Bicep compiler is not to be had: install the .NET SDK, so that dotnet restore ${project(root)} brings it${error ? ` (${error.message})` : ''}.`,
  );
}

/** What `bicep COMMAND FILE …` prints. Warnings come beside the answer, on stderr. */
export function runBicep(bicep: string, args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(bicep, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // The compiler is a self-contained program, and starts without the system's ICU by this.
    env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' },
  });
}

const project = (root: string): string => `${root}infra/build/bicep.csproj`;
