import { Table } from "@mantine/core";
import { Link } from "wouter";
import { graphql } from "../../../gql";
import type { ListedDamFragment } from "../../../gql/graphql";

export const LISTED_DAM = graphql(`
  fragment ListedDam on Dam {
    id
    damId
    name
    owner
    river
    state
    dateBuilt
  }
`);

export function DamTable({ caption, dams }: { caption: string; dams: readonly ListedDamFragment[] }) {
  return (
    <Table captionSide="top">
      <Table.Caption>{caption}</Table.Caption>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Name</Table.Th>
          <Table.Th scope="col">Owner</Table.Th>
          <Table.Th scope="col">River</Table.Th>
          <Table.Th scope="col">State</Table.Th>
          <Table.Th scope="col">Built</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {dams.map((dam) => (
          <Table.Tr key={dam.id}>
            <Table.Th scope="row" fw="normal">
              <Link href={`/dams/${dam.damId.toString()}`}>{dam.name ?? "Unnamed"}</Link>
            </Table.Th>
            <Table.Td>{dam.owner}</Table.Td>
            <Table.Td>{dam.river}</Table.Td>
            <Table.Td>{dam.state}</Table.Td>
            <Table.Td>{dam.dateBuilt}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
