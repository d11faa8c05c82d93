import { useApolloClient } from "@apollo/client/react";
import { Button, Group, Menu, Modal, Progress, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { Trouble } from "../../Trouble";
import { filterOf, type View } from "../../view";
import { CSV, type Format, GEOJSON } from "./formats";
import { makeFile, type Reading } from "./makeFile";

interface Running {
  format: Format;
  abort: AbortController;
  progress: Reading;
  error?: Error;
}

/** Saves the dams of the view as a file, which is made here from the API's pages. */
export function ExportMenu({ view, count }: { view: View; count: number | undefined }) {
  const client = useApolloClient();
  const [running, setRunning] = useState<Running>();

  const start = async (format: Format) => {
    const abort = new AbortController();
    setRunning({ format, abort, progress: { read: 0 } });
    const change = (changed: Partial<Running>) => {
      setRunning((current) => (current?.abort === abort ? { ...current, ...changed } : current));
    };
    try {
      const asked = { where: filterOf(view), orderBy: view.orderBy };
      const onProgress = (progress: Reading) => {
        change({ progress });
      };
      save(await makeFile(client, { asked, format, signal: abort.signal, onProgress }), format.fileName);
      setRunning(undefined);
    } catch (error) {
      if (!abort.signal.aborted) change({ error: error as Error });
    }
  };
  const stop = () => {
    running?.abort.abort();
    setRunning(undefined);
  };

  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={16} />} disabled={!count}>
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {[CSV, GEOJSON].map((format) => (
            <Menu.Item
              key={format.label}
              onClick={() => {
                void start(format);
              }}
            >
              {format.label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={running !== undefined} onClose={stop} title={`Export as ${running?.format.label ?? ""}`}>
        {running && (
          <Stack>
            {running.error ? (
              <Trouble
                error={running.error}
                onRetry={() => {
                  void start(running.format);
                }}
              />
            ) : (
              <>
                <Progress
                  value={count ? (100 * running.progress.read) / count : 0}
                  aria-label="Dams read"
                  transitionDuration={200}
                />
                <Text size="sm">
                  {running.progress.read.toLocaleString("en")} of {count?.toLocaleString("en")} dams
                  {running.progress.waitS !== undefined &&
                    `; the server asks to wait ${running.progress.waitS.toLocaleString("en")} s`}
                </Text>
              </>
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={stop}>
                Cancel
              </Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}

function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}
