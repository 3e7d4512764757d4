/** The clouds that the app knows by name. */
export const CLOUDS = ['public', 'usgov', 'china'] as const;
export type CloudName = (typeof CLOUDS)[number];

/** What differs between clouds. Each address and audience can be set by itself; these stand where it is not. */
export interface Cloud {
  /** Azure Resource Manager, without a slash at the end; tokens are for the same. */
  armUrl: string;
  /** Log query API without its version; tokens are for the same. */
  logsUrl: string;
  /** Whom tokens for Event Grid topics are for. */
  topicAudience: string;
  /** Hosts of the one sign-in authority: an issuer may be written with either. */
  loginHosts: readonly string[];
  /** What its addresses end in. */
  domains: readonly string[];
}

/**
 * Resource Manager, logs and domains: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure,
 * https://learn.microsoft.com/azure/china/resources-developer-guide, and `KnownMonitorLogsQueryAudience` of
 * `@azure/monitor-query-logs`. Sign-in, with the names that mean the same:
 * https://github.com/AzureAD/microsoft-authentication-library-for-js, `AuthorityMetadata.ts`.
 *
 * Not here, because it is the same everywhere or told by the service: storage takes tokens for https://storage.azure.com in
 * every cloud (https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory), an HSM names its
 * audience in the challenge, and a managed identity asks its host. The audiences of topics in the other clouds stand in no
 * document that we know: they follow the topics' own domains, and MHSM_TOPIC_AUDIENCE sets another.
 */
const TABLE: Record<CloudName, Cloud> = {
  public: {
    armUrl: 'https://management.azure.com',
    logsUrl: 'https://api.loganalytics.io',
    topicAudience: 'https://eventgrid.azure.net',
    loginHosts: ['login.microsoftonline.com'],
    domains: ['azure.net', 'azure.com', 'windows.net', 'microsoftonline.com', 'loganalytics.io'],
  },
  usgov: {
    armUrl: 'https://management.usgovcloudapi.net',
    logsUrl: 'https://api.loganalytics.us',
    topicAudience: 'https://eventgrid.azure.us',
    loginHosts: ['login.microsoftonline.us'],
    domains: ['usgovcloudapi.net', 'azure.us', 'microsoftonline.us', 'loganalytics.us'],
  },
  china: {
    armUrl: 'https://management.chinacloudapi.cn',
    logsUrl: 'https://api.loganalytics.azure.cn',
    topicAudience: 'https://eventgrid.azure.cn',
    loginHosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    domains: ['chinacloudapi.cn', 'azure.cn', 'microsoftonline.cn'],
  },
};

export const cloudOf = (name: CloudName): Cloud => TABLE[name];

/** The other cloud that an address belongs to; undefined for one of this cloud, and for one of none that is known. */
export function foreignCloud(cloud: CloudName, host: string): CloudName | undefined {
  const name = host.toLowerCase();
  const home = CLOUDS.find((each) =>
    TABLE[each].domains.some((domain) => name === domain || name.endsWith(`.${domain}`)),
  );
  return home === cloud ? undefined : home;
}

/** An issuer as every host of the cloud's sign-in authority writes it; alone where it is none of theirs. */
export function issuersOf(cloud: CloudName, issuer: string): string[] {
  const { loginHosts } = TABLE[cloud];
  const host = loginHosts.find((each) => issuer.startsWith(`https://${each}/`));
  return host === undefined ? [issuer] : loginHosts.map((each) => issuer.replace(host, each));
}
