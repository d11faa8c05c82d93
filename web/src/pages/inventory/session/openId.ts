import { UserManager, WebStorageStateStore } from "oidc-client-ts";
import type { AuthenticationQuery } from "../../../gql/graphql";

type Provider = NonNullable<AuthenticationQuery["authentication"]["openIdProvider"]>;

/** The authorization code flow with PKCE (RFC 7636), which comes back to /sign-in. */
function managerOf({ issuer, clientId, scopes }: Provider): UserManager {
  return new UserManager({
    authority: issuer,
    client_id: clientId,
    scope: scopes.join(" "),
    redirect_uri: `${location.origin}/sign-in`,
    automaticSilentRenew: false,
    // Of this tab only, as the token itself.
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    userStore: new WebStorageStateStore({ store: sessionStorage }),
  });
}

/** Leaves the page. `address` comes back with the token, to go on there. */
export async function goToProvider(provider: Provider, address: string): Promise<void> {
  await managerOf(provider).signinRedirect({ state: address });
}

export interface Return {
  token: string;
  address: string;
}

/** What the provider sent us back with. */
export async function readReturn(provider: Provider): Promise<Return> {
  const manager = managerOf(provider);
  const user = await manager.signinRedirectCallback();
  await manager.removeUser();
  // Its audience is our client id, which is what the server asks for unless it is told otherwise.
  if (!user.id_token) throw new Error("The provider sent no ID token.");
  return { token: user.id_token, address: user.state as string };
}
