import { useQuery } from "@apollo/client/react";
import { Alert, Container, Skeleton, Stack, Title } from "@mantine/core";
import type { CapacityQuery } from "../../../gql/graphql";
import { SignInLink } from "../session/SignInLink";
import { Trouble } from "../Trouble";
import { AddForm } from "./AddForm";
import { Capacity } from "./Capacity";
import { CAPACITY } from "./documents";

export default function AddPage() {
  const { data, error, refetch } = useQuery(CAPACITY, { fetchPolicy: "cache-and-network" });
  return (
    <Container size="lg" py="lg">
      <Stack>
        <title>Add a dam · Dam Inventory</title>
        <Title order={2}>Add a dam</Title>
        {error && (
          <Trouble
            error={error}
            onRetry={() => {
              void refetch();
            }}
          />
        )}
        {!data && !error && <Skeleton height={400} />}
        {data && <Permitted {...data} />}
      </Stack>
    </Container>
  );
}

function Permitted({ inventory, viewer }: CapacityQuery) {
  if (!viewer.canAddDams) {
    return (
      <Alert title="You may not add dams">
        <SignInLink>Sign in</SignInLink> as somebody who may, or ask an administrator for the permission add_dams.
      </Alert>
    );
  }
  return (
    <>
      <Capacity inventory={inventory} quota={viewer.quota} />
      <AddForm knownOwners={inventory.knownOwners} />
    </>
  );
}
