import { CloseButton, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";

/** From the last key until the search begins. */
const PAUSE_MS = 250;

/** Searches while one types. */
export function SearchBox({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const [known, setKnown] = useState(text);
  const search = useDebouncedCallback(onSearch, PAUSE_MS);
  // Changed from elsewhere, as by the back button.
  if (text !== known) {
    setKnown(text);
    setTyped(text);
  }
  const change = (changed: string) => {
    setTyped(changed);
    search(changed.trim());
  };
  return (
    <TextInput
      type="search"
      aria-label="Search dams by name or river"
      placeholder="Name or river"
      leftSection={<IconSearch size={16} />}
      maxLength={200}
      value={typed}
      onChange={(event) => {
        change(event.currentTarget.value);
      }}
      rightSection={
        typed && (
          <CloseButton
            size="sm"
            aria-label="Clear the search"
            onClick={() => {
              change("");
            }}
          />
        )
      }
      flex="1 1 8rem"
    />
  );
}
