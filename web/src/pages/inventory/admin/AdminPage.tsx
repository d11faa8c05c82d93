import { Alert, Container, SimpleGrid, Skeleton, Stack, Title } from "@mantine/core";
import { SignInLink } from "../session/SignInLink";
import { useViewer } from "../session/useViewer";
import { Caps } from "./Caps";
import { Health } from "./Health";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

export default function AdminPage() {
  const viewer = useViewer();
  return (
    <Container size="lg" py="lg">
      <Stack gap="xl">
        <title>Admin · Dam Inventory</title>
        <Title order={2}>Admin</Title>
        {!viewer && <Skeleton height={300} />}
        {viewer &&
          (viewer.permissions.includes("manage_inventory") ? (
            <>
              <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
                <Caps />
                <Health />
              </SimpleGrid>
              <Users />
              <Tokens />
            </>
          ) : (
            <Alert title="This page is for administrators">
              <SignInLink>Sign in</SignInLink> as somebody with the permission manage_inventory.
            </Alert>
          ))}
      </Stack>
    </Container>
  );
}
