import { Button, Group, Modal, Skeleton, Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useSession } from "./useSession";

const SignInForm = lazy(() => import("./SignInForm"));

/** Over whatever is shown, which stays as it is, with all that was typed. */
export function ExpiryPrompt() {
  const { hasEnded, dismiss } = useSession();
  return (
    <Modal opened={hasEnded} onClose={dismiss} title="Your session has ended">
      <Text size="sm" mb="md">
        Sign in again to go on where you were.
      </Text>
      <Suspense fallback={<Skeleton height={240} />}>
        <SignInForm onDone={() => undefined} />
      </Suspense>
      <Group justify="flex-end" mt="md">
        <Button variant="subtle" onClick={dismiss}>
          Go on without signing in
        </Button>
      </Group>
    </Modal>
  );
}
