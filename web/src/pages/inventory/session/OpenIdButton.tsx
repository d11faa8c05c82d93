import { Button, Stack } from "@mantine/core";
import { useEffect, useEffectEvent, useState } from "react";
import type { AuthenticationQuery } from "../../../gql/graphql";
import { Trouble } from "../Trouble";
import { useSession } from "./useSession";

interface Props {
  provider: NonNullable<AuthenticationQuery["authentication"]["openIdProvider"]>;
  onDone: () => void;
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
    await session.signIn(await onceAnswered(provider));
    onDone();
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
          import("./openId").then(({ goToProvider }) => goToProvider(provider)).catch(fail);
        }}
      >
        Sign in with {new URL(provider.issuer).host}
      </Button>
      {error && <Trouble error={error} />}
    </Stack>
  );
}

/** Whether the address is that of a return from the provider. */
function isReturn(search: string): boolean {
  const parameters = new URLSearchParams(search);
  return parameters.has("state") && (parameters.has("code") || parameters.has("error"));
}

/** The code of a return can be used once, and effects may run twice. */
let answered: Promise<string> | undefined;

function onceAnswered(provider: Props["provider"]): Promise<string> {
  return (answered ??= import("./openId").then(({ tokenOfReturn }) => tokenOfReturn(provider)));
}
