import { type ApolloClient, CombinedGraphQLErrors } from "@apollo/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CSV } from "../src/pages/inventory/explore/export/formats";
import { makeFile } from "../src/pages/inventory/explore/export/makeFile";

const dam = {
  damId: 1,
  otherNames: [],
  ownerTypes: [],
  purposes: [],
  damTypes: [],
  location: { latitude: 40, longitude: -111 },
};
const LAST = { data: { dams: { nodes: [dam], pageInfo: { hasNextPage: false, endCursor: "c2" } } } };
const FIRST = { data: { dams: { nodes: [dam, dam], pageInfo: { hasNextPage: true, endCursor: "c1" } } } };

function refusal(code: string, retryAfter?: number): CombinedGraphQLErrors {
  return new CombinedGraphQLErrors({ errors: [{ message: "No.", extensions: { code, retryAfter } }] });
}

function exporting(query: () => Promise<unknown>) {
  const abort = new AbortController();
  const onProgress = vi.fn();
  const asked = { where: {}, orderBy: { field: "NAME" as const } };
  const client = { query } as unknown as ApolloClient;
  const file = makeFile(client, { asked, format: CSV, signal: abort.signal, onProgress });
  file.catch(() => undefined); // expected later
  return { abort, onProgress, file };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("an export waits as long as the server says, and goes on where it was", async () => {
  const query = vi
    .fn()
    .mockResolvedValueOnce(FIRST)
    .mockRejectedValueOnce(refusal("RATE_LIMITED", 7))
    .mockRejectedValueOnce(refusal("RATE_LIMITED", 2))
    .mockResolvedValueOnce(LAST);
  const { file, onProgress } = exporting(query);
  await vi.advanceTimersByTimeAsync(6_900);
  expect(onProgress.mock.calls).toEqual([[{ read: 2 }], [{ read: 2, waitS: 7 }]]);
  expect(query).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(2_200);
  const text = await (await file).text();
  expect(text.split("\r\n")).toHaveLength(5); // heading, three dams, and the end of the last line
  expect(query.mock.calls.slice(1)).toMatchObject(Array(3).fill([{ variables: { after: "c1" } }]));
});

test("an export that is cancelled while it waits asks for nothing more", async () => {
  const query = vi.fn().mockRejectedValue(refusal("RATE_LIMITED", 7));
  const { file, abort } = exporting(query);
  await vi.advanceTimersByTimeAsync(1_000);
  abort.abort();
  await expect(file).rejects.toThrow("abort");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(query).toHaveBeenCalledTimes(1);
});

test("an export ends with any other error", async () => {
  const { file } = exporting(() => Promise.reject(refusal("FORBIDDEN")));
  await expect(file).rejects.toThrow("No.");
});
