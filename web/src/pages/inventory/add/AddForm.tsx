import {
  Alert,
  Anchor,
  Button,
  Grid,
  Group,
  List,
  NumberInput,
  Paper,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";
import type { AddDamMutation } from "../../../gql/graphql";
import { mapAddress, type Place } from "../place";
import { Trouble } from "../Trouble";
import { type Draft, EMPTY, placeOf, sorted } from "./draft";
import { Duplicates } from "./Duplicates";
import { OwnerInput, RiverInput } from "./NameInput";
import { useAddDam } from "./useAddDam";

const PointMap = lazy(() => import("../map/PointMap"));

interface Added {
  damId: number;
  name: string;
  place: Place;
  warnings: readonly string[];
}

export function AddForm({ knownOwners }: { knownOwners: readonly string[] }) {
  const form = useForm<Draft>({ initialValues: EMPTY });
  const { add, isAdding } = useAddDam();
  const [problems, setProblems] = useState<AddDamMutation["addDam"]["errors"]>([]);
  const [failure, setFailure] = useState<Error>();
  const [added, setAdded] = useState<Added[]>([]);
  const place = placeOf(form.values);

  const submit = async (draft: Draft) => {
    setProblems([]);
    setFailure(undefined);
    try {
      const result = await add(draft);
      const { fields, whole } = sorted(result?.errors ?? []);
      setProblems(whole);
      form.setErrors(fields);
      const [first] = Object.keys(fields);
      if (first) form.getInputNode(first)?.focus();
      const at = placeOf(draft);
      if (!result?.dam || !at) return;
      const { damId } = result.dam;
      setAdded((before) => [{ damId, name: draft.name, place: at, warnings: result.warnings }, ...before]);
      form.reset();
    } catch (error) {
      setFailure(error as Error);
    }
  };

  return (
    // The server says what is wrong, in the same words for everybody.
    <form noValidate onSubmit={form.onSubmit((draft) => void submit(draft))}>
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Stack gap="sm">
            <TextInput label="Name" withAsterisk autoComplete="off" {...form.getInputProps("name")} />
            <OwnerInput label="Owner" withAsterisk knownOwners={knownOwners} {...form.getInputProps("owner")} />
            <RiverInput label="River" withAsterisk {...form.getInputProps("river")} />
            <TextInput
              label="Date built"
              description="As precisely as it is known: 1941, 1993-04 or 1993-04-12"
              withAsterisk
              autoComplete="off"
              {...form.getInputProps("dateBuilt")}
            />
            <Group grow align="start">
              <NumberInput
                label="Latitude"
                withAsterisk
                decimalScale={6}
                hideControls
                {...form.getInputProps("latitude")}
              />
              <NumberInput
                label="Longitude"
                withAsterisk
                decimalScale={6}
                hideControls
                {...form.getInputProps("longitude")}
              />
            </Group>
            <Duplicates place={place} name={form.values.name} />
            {problems.map(({ code, message }) => (
              <Alert key={code} color="red" role="alert">
                {message}
              </Alert>
            ))}
            {failure && <Trouble error={failure} />}
            <Group>
              <Button type="submit" loading={isAdding}>
                Add dam
              </Button>
            </Group>
            <AddedDams added={added} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Text size="sm" mb={4}>
            Click where it stands, or drag the mark.
          </Text>
          <Paper withBorder radius="md" style={{ overflow: "hidden" }}>
            <Suspense fallback={<Skeleton height={420} />}>
              <PointMap
                label="Location of the dam"
                place={place}
                height={420}
                onPick={(picked) => {
                  form.setValues(picked);
                  form.clearFieldError("latitude");
                }}
              />
            </Suspense>
          </Paper>
        </Grid.Col>
      </Grid>
    </form>
  );
}

function AddedDams({ added }: { added: readonly Added[] }) {
  return (
    <div aria-live="polite">
      {added.length > 0 && (
        <Alert color="green" title="Added" role="group">
          <List size="sm" spacing={4}>
            {added.map(({ damId, name, place, warnings }) => (
              <List.Item key={damId}>
                <Anchor component={Link} href={`/dams/${damId.toString()}`} size="sm">
                  {name}
                </Anchor>{" "}
                (
                <Anchor component={Link} href={mapAddress(damId, place)} size="sm">
                  on the map
                </Anchor>
                ) {warnings.join(" ")}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
    </div>
  );
}
