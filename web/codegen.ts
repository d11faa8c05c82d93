import { createHash } from "node:crypto";
import type { CodegenConfig } from "@graphql-codegen/cli";
import { type DocumentNode, Kind, type SelectionNode, visit } from "graphql";

const TYPENAME: SelectionNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: "__typename" } };

/** As Apollo's cache does, so that what is hashed is what is sent. Not at the root: that has no place in the cache. */
function withTypenames(document: DocumentNode): DocumentNode {
  return visit(document, {
    SelectionSet: (node, _key, parent) =>
      parent && "kind" in parent && parent.kind !== Kind.OPERATION_DEFINITION
        ? { ...node, selections: [...node.selections, TYPENAME] }
        : node,
  });
}

const config: CodegenConfig = {
  schema: "../schema/schema.graphql",
  documents: ["src/**/*.{ts,tsx}", "!src/gql/**"],
  generates: {
    "src/gql/": {
      preset: "client",
      documentTransforms: [
        {
          transform: ({ documents }) =>
            documents.map((file) => (file.document ? { ...file, document: withTypenames(file.document) } : file)),
        },
      ],
      presetConfig: {
        fragmentMasking: false,
        persistedDocuments: {
          hashPropertyName: "sha256",
          hashAlgorithm: (document: string) => createHash("sha256").update(document).digest("hex"),
        },
      },
      config: {
        strictScalars: true,
        scalars: { DateTime: "string", GeoJSON: "unknown", PartialDate: "string" },
        skipTypeNameForRoot: true,
        useTypeImports: true,
      },
    },
  },
};

export default config;
