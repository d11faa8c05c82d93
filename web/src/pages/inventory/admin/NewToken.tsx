import { useMutation } from "@apollo/client/react";
import { Alert, Button, Code, CopyButton, Group, MultiSelect, NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useViewer } from "../session/useViewer";
import { Trouble } from "../Trouble";
import { CREATE_TOKEN, TOKENS } from "./documents";

/** Makes a token of one's own, and shows it this once. */
export function NewToken() {
  const permissions = useViewer()?.permissions ?? [];
  const [name, setName] = useState("");
  const [days, setDays] = useState<number | string>(90);
  const [scopes, setScopes] = useState<string[]>([]);
  const [create, { loading, error, data }] = useMutation(CREATE_TOKEN, { refetchQueries: [TOKENS] });
  const problems = data?.createToken.errors ?? [];
  const problemOf = (field: string) => problems.find((problem) => problem.field === field)?.message;
  const others = problems.filter(({ field }) => !["name", "days", "scopes"].includes(field ?? ""));

  const submit = async () => {
    const input = {
      name,
      days: typeof days === "number" ? days : null,
      scopes: scopes.length > 0 ? scopes : null,
    };
    const result = await create({ variables: { input } });
    if (result.data?.createToken.token) setName("");
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit().catch(() => undefined); // `error` has it
      }}
    >
      <Group align="start" gap="sm">
        <TextInput
          label="New token for"
          placeholder="backup script"
          required
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
          error={problemOf("name")}
        />
        <NumberInput
          label="Days"
          description="Empty: never expires"
          inputWrapperOrder={["label", "input", "description", "error"]}
          w={150}
          min={1}
          allowDecimal={false}
          value={days}
          onChange={setDays}
          error={problemOf("days")}
        />
        <MultiSelect
          label="Limited to"
          placeholder={scopes.length === 0 ? "all that I may" : ""}
          data={permissions}
          value={scopes}
          onChange={setScopes}
          w={260}
          error={problemOf("scopes")}
        />
        <Button type="submit" variant="default" mt={25} loading={loading}>
          Create
        </Button>
      </Group>
      {error && <Trouble error={error} />}
      {others.map(({ code, message }) => (
        <Alert key={code} color="red" role="alert" mt="sm">
          {message}
        </Alert>
      ))}
      {data?.createToken.secret && <Secret secret={data.createToken.secret} />}
    </form>
  );
}

function Secret({ secret }: { secret: string }) {
  return (
    <Alert color="green" title="Copy it now: it is not shown again" mt="sm" role="status">
      <Group>
        <Code style={{ overflowWrap: "anywhere" }}>{secret}</Code>
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Alert>
  );
}
