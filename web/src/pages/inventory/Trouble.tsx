import { CombinedGraphQLErrors } from "@apollo/client";
import { Alert, Button, Group } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { codeOf } from "./errorCode";
import { SignInLink } from "./session/SignInLink";

/** Why something could not be read or done, and what to do about it. */
export function Trouble({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const code = codeOf(error);
  const isSignedOut = code === "UNAUTHENTICATED";
  const { title, advice } = EXPLANATIONS[code ?? ""] ?? explained(error);
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={title} role="alert">
      {advice}
      {(onRetry || isSignedOut) && (
        <Group mt="sm" gap="sm">
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              Try again
            </Button>
          )}
          {isSignedOut && (
            <Button size="xs" component={SignInLink}>
              Sign in
            </Button>
          )}
        </Group>
      )}
    </Alert>
  );
}

const EXPLANATIONS: Record<string, { title: string; advice: string }> = {
  UNAUTHENTICATED: { title: "You are not signed in", advice: "Sign in, or sign in again if it has been a while." },
  FORBIDDEN: {
    title: "You may not do this",
    advice: "Ask an administrator for the permission, or sign in as somebody else.",
  },
  RATE_LIMITED: { title: "Too many requests", advice: "Wait a moment, then try again." },
};

function explained(error: Error): { title: string; advice: string } {
  if (CombinedGraphQLErrors.is(error)) return { title: "The server could not answer", advice: error.message };
  return { title: "The server cannot be reached", advice: "Check the connection; then try again." };
}
