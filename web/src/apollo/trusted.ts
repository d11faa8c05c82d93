import { ApolloLink } from "@apollo/client";

/** Names the document where the build has put it into its manifest, for a server that executes no others. */
export const naming = new ApolloLink((operation, forward) => {
  const { __meta__: meta } = operation.query as { __meta__?: { sha256?: string } };
  if (meta?.sha256) operation.extensions = { ...operation.extensions, trustedDocument: meta.sha256 };
  return forward(operation);
});
