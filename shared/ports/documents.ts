export interface Stored<T> {
  value: T;
  etag: string;
}

/** JSON documents with compare-and-swap, in the containers of shared/README.md. Throws ERR_TRANSIENT, ERR_DENIED. */
export interface Documents {
  read<T>(container: Container, path: string): Promise<Stored<T> | undefined>;
  /** The text as it is, for documents that a person wrote. */
  readText(container: Container, path: string): Promise<Stored<string> | undefined>;
  /** The new ETag, or `exists` when another writer was first. */
  create(container: Container, path: string, value: unknown): Promise<{ etag: string } | 'exists'>;
  /** The new ETag, or `changed` when the document is no longer the one that was read. */
  replace(container: Container, path: string, value: unknown, etag: string): Promise<{ etag: string } | 'changed'>;
  /** Writes whatever is there: only for documents that one writer owns. */
  put(container: Container, path: string, value: unknown): Promise<void>;
  /** Opaque bytes under a name that is written once: a second write of the same name changes nothing. */
  keep(
    container: Container,
    path: string,
    bytes: Uint8Array,
    metadata: Record<string, string>,
  ): Promise<'kept' | 'exists'>;
  remove(container: Container, path: string): Promise<void>;
  list(container: Container, prefix: string): AsyncIterable<string>;
}

export type Container = 'policy' | 'state' | 'evidence' | 'key-backups';
