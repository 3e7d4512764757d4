/** Addresses and names that a durable client needs. */
export interface ClientAddresses {
  /** `https://host/runtime/webhooks/durabletask`. */
  baseUrl: string;
  /** Ends in a slash. */
  rpcBaseUrl: string;
  hubName: string;
  connection: string;
  systemKey: string;
}

/** The URLs of one instance; `INSTANCEID` is what the client library replaces. Source: HttpApiHandler.cs. */
export function managementUrls(addresses: ClientAddresses, instanceId: string): Record<string, string> {
  const { baseUrl, hubName, connection, systemKey } = addresses;
  const query = `taskHub=${hubName}&connection=${connection}&code=${systemKey}`;
  const instance = `${baseUrl}/instances/${instanceId}`;
  return {
    id: instanceId,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

/** JSON text of the `durableClient` input binding. */
export function clientBinding(addresses: ClientAddresses): string {
  const { baseUrl, rpcBaseUrl, hubName, systemKey } = addresses;
  const create = `${baseUrl}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: hubName,
    creationUrls: {
      createNewInstancePostUri: `${create}?code=${systemKey}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${systemKey}`,
    },
    managementUrls: managementUrls(addresses, 'INSTANCEID'),
    baseUrl,
    requiredQueryStringParameters: `code=${systemKey}`,
    rpcBaseUrl,
    httpBaseUrl: baseUrl,
  });
}
