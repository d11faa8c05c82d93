import { Anchor, Container, Text, Title } from "@mantine/core";
import { Link } from "wouter";

export function NotFound() {
  return (
    <Container py="xl">
      <Title order={2}>There is no such page</Title>
      <Text>
        Go to the{" "}
        <Anchor component={Link} href="/">
          map and the list
        </Anchor>
        .
      </Text>
    </Container>
  );
}
