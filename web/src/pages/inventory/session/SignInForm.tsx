import { useMutation, useQuery } from "@apollo/client/react";
import { Alert, Button, Divider, PasswordInput, Skeleton, Stack, TextInput } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { codeOf } from "../errorCode";
import { Trouble } from "../Trouble";
import { AUTHENTICATION, SIGN_IN } from "./documents";
import { OpenIdButton } from "./OpenIdButton";
import { useSession } from "./useSession";

/** All ways to sign in that the server offers. `address`: where to go on, for who comes back from elsewhere. */
export default function SignInForm({ onDone }: { onDone: (address?: string) => void }) {
  const { data, error, refetch } = useQuery(AUTHENTICATION);
  if (error) {
    return (
      <Trouble
        error={error}
        onRetry={() => {
          void refetch();
        }}
      />
    );
  }
  if (!data) return <Skeleton height={240} />;
  const { password, openIdProvider } = data.authentication;
  return (
    <Stack>
      {openIdProvider && (
        <>
          <OpenIdButton provider={openIdProvider} onDone={onDone} />
          <Divider label="or" />
        </>
      )}
      {password && (
        <>
          <PasswordForm onDone={onDone} />
          <Divider label="or" />
        </>
      )}
      <TokenForm onDone={onDone} />
    </Stack>
  );
}

function PasswordForm({ onDone }: { onDone: () => void }) {
  const session = useSession();
  const [signIn, { loading }] = useMutation(SIGN_IN);
  const [problem, setProblem] = useState<string>();
  const [trouble, setTrouble] = useState<Error>();

  const submit = async (form: FormData) => {
    setProblem(undefined);
    setTrouble(undefined);
    try {
      const input = { name: textOf(form, "name"), password: textOf(form, "password") };
      const { data } = await signIn({ variables: { input } });
      if (!data?.signIn.token) {
        setProblem(data?.signIn.errors[0]?.message);
        return;
      }
      await session.signIn(data.signIn.token, true);
      onDone();
    } catch (error) {
      setTrouble(error as Error);
    }
  };

  return (
    <form onSubmit={submitting(submit)}>
      <Stack gap="sm">
        <TextInput label="User name" name="name" autoComplete="username" required />
        <PasswordInput label="Password" name="password" autoComplete="current-password" required />
        {problem && (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        )}
        {trouble && <Trouble error={trouble} />}
        <Button type="submit" loading={loading}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

function TokenForm({ onDone }: { onDone: () => void }) {
  const session = useSession();
  const [error, setError] = useState<Error>();
  const [isTrying, setTrying] = useState(false);
  const isRefused = error && codeOf(error) === "UNAUTHENTICATED";

  const submit = async (form: FormData) => {
    setTrying(true);
    setError(undefined);
    try {
      await session.signIn(textOf(form, "token").trim());
      onDone();
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setTrying(false);
    }
  };

  return (
    <form onSubmit={submitting(submit)}>
      <Stack gap="sm">
        <PasswordInput
          label="API token"
          description="An administrator can make one for you; the first start of the server prints one."
          name="token"
          autoComplete="off"
          required
          error={isRefused && "The server does not accept this token. It may have expired."}
        />
        {error && !isRefused && <Trouble error={error} />}
        <Button type="submit" variant="default" loading={isTrying}>
          Use this token
        </Button>
      </Stack>
    </form>
  );
}

function submitting(submit: (form: FormData) => Promise<void>) {
  return (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    void submit(new FormData(event.currentTarget));
  };
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
