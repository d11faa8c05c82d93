import { Button, Container, Group, Paper, Text, Title } from "@mantine/core";
import { useLocation } from "wouter";
import SignInForm from "./SignInForm";
import { useSession } from "./useSession";
import { useViewer } from "./useViewer";
import { wayBack } from "./wayBack";

export default function SignInPage() {
  const [, navigate] = useLocation();
  const { token } = useSession();
  return (
    <Container size="xs" py="xl">
      <Title order={2} mb="md">
        {token ? "Your account" : "Sign in"}
      </Title>
      <Paper withBorder p="lg" radius="md">
        {token ? (
          <Account />
        ) : (
          <SignInForm
            onDone={(address = wayBack()) => {
              navigate(address, { replace: true });
            }}
          />
        )}
      </Paper>
    </Container>
  );
}

function Account() {
  const { signOut } = useSession();
  const viewer = useViewer();
  const quota = viewer?.quota;
  return (
    <>
      <Text>
        Signed in as <b>{viewer?.name ?? "…"}</b>.
      </Text>
      {quota && (
        <Text c="dimmed" size="sm">
          {quota.maxDams === null
            ? `You have added ${quota.used.toLocaleString("en")} dams, without a limit.`
            : `You have added ${quota.used.toLocaleString("en")} of ${quota.maxDams.toLocaleString("en")} dams.`}
        </Text>
      )}
      <Text c="dimmed" size="sm">
        May: {viewer?.permissions.map((permission) => permission.replaceAll("_", " ")).join(", ")}
      </Text>
      <Group mt="md">
        <Button
          variant="default"
          onClick={() => {
            void signOut();
          }}
        >
          Sign out
        </Button>
      </Group>
    </>
  );
}
