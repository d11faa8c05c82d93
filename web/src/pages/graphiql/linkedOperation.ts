interface Operation {
  query: string;
  variables: string;
}

/** The operation of a link like `/graphiql?query=…&variables=…`. */
export function linkedOperation(search: string): Operation | undefined {
  const parameters = new URLSearchParams(search);
  const query = parameters.get("query");
  // Without variables of its own, a link must not get those left over from the last visit: hence "", not null.
  return query ? { query, variables: parameters.get("variables") ?? "" } : undefined;
}
