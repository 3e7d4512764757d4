/** What the proxy needs of a request to name it. */
export interface StorageRequest {
  method: string;
  url: URL;
  header(name: string): string | undefined;
}

const account = /^\/[^/]+/;

/** The operation of a blob request, as faults name it, with the container and blob it is about. */
export function nameBlobOperation(request: StorageRequest): { operation: string; container: string; blob: string } {
  const [container = '', ...rest] = request.url.pathname.replace(account, '').replace(/^\//, '').split('/');
  const blob = rest.map(decodeURIComponent).join('/');
  const comp = request.url.searchParams.get('comp') ?? '';
  const operation = blob
    ? blobOperation(request, comp)
    : container
      ? containerOperation(request.method, comp)
      : `Service${capital(comp || 'Get')}`;
  return { operation, container, blob };
}

function blobOperation({ method, header }: StorageRequest, comp: string): string {
  const action = (name: string) => header(name) ?? '';
  switch (comp) {
    case '':
      if (method !== 'PUT')
        return { GET: 'BlobGet', HEAD: 'BlobGetProperties', DELETE: 'BlobDelete' }[method] ?? method;
      if (!header('x-ms-copy-source')) return 'BlobPut';
      return header('x-ms-blob-type') ? 'BlobPutFromUrl' : 'BlobCopy';
    case 'lease':
      return `Lease${capital(action('x-ms-lease-action'))}`;
    case 'appendblock':
      return 'AppendBlock';
    case 'block':
      return header('x-ms-copy-source') ? 'BlockPutFromUrl' : 'BlockPut';
    case 'blocklist':
      return method === 'PUT' ? 'BlockListPut' : 'BlockListGet';
    default:
      // metadata, properties, tags, tier, snapshot, copy (abort), immutabilityPolicies, legalhold, undelete, …
      return `Blob${method === 'GET' ? 'Get' : method === 'DELETE' ? 'Delete' : 'Set'}${capital(comp)}`;
  }
}

function containerOperation(method: string, comp: string): string {
  if (comp === 'list') return 'BlobList';
  if (comp === '') {
    return (
      {
        PUT: 'ContainerCreate',
        GET: 'ContainerGetProperties',
        HEAD: 'ContainerGetProperties',
        DELETE: 'ContainerDelete',
      }[method] ?? method
    );
  }
  return `Container${method === 'PUT' ? 'Set' : 'Get'}${capital(comp)}`;
}

/** The operation of a queue request, as faults name it, with the queue it is about. */
export function nameQueueOperation(request: StorageRequest): { operation: string; queue: string } {
  const [queue = '', messages, id] = request.url.pathname.replace(account, '').replace(/^\//, '').split('/');
  const { method, url } = request;
  if (messages === 'messages') {
    if (id) return { operation: method === 'DELETE' ? 'MessageDelete' : 'MessageUpdate', queue };
    const peek = url.searchParams.get('peekonly') === 'true';
    const names: Record<string, string> = {
      POST: 'MessagePut',
      DELETE: 'MessagesClear',
      GET: peek ? 'MessagesPeek' : 'MessagesGet',
    };
    return { operation: names[method] ?? method, queue };
  }
  const names: Record<string, string> = {
    PUT: 'QueueCreate',
    DELETE: 'QueueDelete',
    GET: 'QueueGet',
    HEAD: 'QueueGet',
  };
  return { operation: queue ? (names[method] ?? method) : 'ServiceGet', queue };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
