import type { Material } from './material.ts';
import type { RotationPolicy } from './rotation-policy.ts';

export interface ReleasePolicy {
  contentType?: string;
  /** base64url of the policy document. */
  data: string;
  immutable?: boolean;
}

/** Times are Unix seconds, as on the wire. */
export interface KeyVersion {
  version: string;
  material: Material;
  keyOps: string[];
  enabled: boolean;
  exp?: number;
  nbf?: number;
  created: number;
  updated: number;
  exportable: boolean;
  tags?: Record<string, string>;
  releasePolicy?: ReleasePolicy;
  imported?: boolean;
}

/** Versions oldest first: the last is the newest. */
export interface Key {
  name: string;
  versions: KeyVersion[];
  rotationPolicy?: RotationPolicy;
}

/** A version with the key it belongs to. */
export interface Found {
  key: Key;
  version: KeyVersion;
}

export interface DeletedKey extends Key {
  deletedDate: number;
  scheduledPurgeDate: number;
}

export function newest(key: Key): KeyVersion {
  const version = key.versions.at(-1);
  if (!version) throw new Error(`Key ${key.name} has no version.`);
  return version;
}

export const unixSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);
