import { Button, Skeleton, Table } from "@mantine/core";
import type { ReactNode } from "react";
import { Trouble } from "../Trouble";
import { Panel } from "./Panel";

interface Connection<Node> {
  edges: readonly { node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

interface Props<Node> {
  title: string;
  /** What the rows are, as the button for more of them says it. */
  noun: string;
  headings: readonly string[];
  /** Undefined until it has been read. */
  connection: Connection<Node> | undefined;
  error: Error | undefined;
  row: (node: Node) => ReactNode;
  onMore: (after: string | null) => void;
  /** Above the table. */
  children?: ReactNode;
}

/** A panel with a table that is read page after page. */
export function PagedPanel<Node>({ title, noun, headings, connection, error, row, onMore, children }: Props<Node>) {
  return (
    <Panel title={title}>
      {children}
      {error && <Trouble error={error} />}
      {!connection && !error && <Skeleton height={120} />}
      {connection && (
        <Table.ScrollContainer minWidth={600}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                {headings.map((heading) => (
                  <Table.Th key={heading} scope="col">
                    {heading}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>{connection.edges.map(({ node }) => row(node))}</Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {connection?.pageInfo.hasNextPage && (
        <Button
          variant="default"
          onClick={() => {
            onMore(connection.pageInfo.endCursor);
          }}
        >
          More {noun}
        </Button>
      )}
    </Panel>
  );
}
