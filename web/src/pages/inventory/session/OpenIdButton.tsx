import { Alert, Button, Stack } from "@mantine/core";
import { useEffect, useEffectEvent, useState } from "react";
import type { AuthenticationQuery } from "../../../gql/graphql";
import type { Return } from "./openId";
import { useSession } from "./useSession";
import { wayBack } from "./wayBack";

interface Props {
  provider: NonNullable<AuthenticationQuery["authentication"]["openIdProvider"]>;
  onDone: (address: string) => void;
}

/** Goes to the provider; and takes the token where the page was opened by coming back from there. */
export function OpenIdButton({ provider, onDone }: Props) {
  const session = useSession();
  const [isBusy, setBusy] = useState(() => isReturn(location.search));
  const [error, setError] = useState<Error>();
  const fail = (failure: unknown) => {
    setBusy(false);
    setError(failure as Error);
  };

  const finish = useEffectEvent(async () => {
    const { token, address } = await onceAnswered(provider);
    await session.signIn(token);
    onDone(address);
  });
  useEffect(() => {
    if (isReturn(location.search)) finish().catch(fail);
  }, []);

  return (
    <Stack gap="sm">
      <Button
        loading={isBusy}
        onClick={() => {
          setBusy(true);
          import("./openId").then(({ goToProvider }) => goToProvider(provider, wayBack())).catch(fail);
        }}
      >
        Sign in with {new URL(provider.issuer).host}
      </Button>
      {error && (
        <Alert color="red" role="alert" title="Signing in did not work">
          {error.message}
        </Alert>
      )}
    </Stack>
  );
}

/** Whether the address is that of a return from the provider. */
function isReturn(search: string): boolean {
  const parameters = new URLSearchParams(search);
  return parameters.has("state") && (parameters.has("code") || parameters.has("error"));
}

/** The code of a return can be used once, and effects may run twice. */
let answered: Promise<Return> | undefined;

function onceAnswered(provider: Props["provider"]): Promise<Return> {
  return (answered ??= import("./openId").then(({ readReturn }) => readReturn(provider)));
}
