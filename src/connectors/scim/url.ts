/** The URL of one resource below its endpoint; a query that the endpoint has stays. */
export function resourceUrl(endpoint: string, remoteId: string): string {
  const [base, query] = splitQuery(endpoint);
  return `${base}/${encodeURIComponent(remoteId)}${query}`;
}

/** ServiceProviderConfig stands beside the users endpoint (RFC 7644 section 4); SCIM 1.1 names it in the plural. */
export function configUrl(userEndpoint: string, name = 'ServiceProviderConfig'): string {
  const [base] = splitQuery(userEndpoint);
  return base.replace(/[^/]*$/, name);
}

export function withQuery(url: string, parameters: Readonly<Record<string, string>>): string {
  const [base, query] = splitQuery(url);
  const added = Object.entries(parameters).map(
    ([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`,
  );
  return `${base}${query === '' ? '?' : `${query}&`}${added.join('&')}`;
}

function splitQuery(url: string): [base: string, query: string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
}
