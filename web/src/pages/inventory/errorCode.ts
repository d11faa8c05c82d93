import { CombinedGraphQLErrors } from "@apollo/client";

/** The server's own code for what went wrong; none where it could not be asked. */
export function codeOf(error: Error): string | undefined {
  if (CombinedGraphQLErrors.is(error.cause)) return codeOf(error.cause);
  return CombinedGraphQLErrors.is(error) ? (error.errors[0]?.extensions?.["code"] as string | undefined) : undefined;
}
