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

test("an export that is cancelled while it asks does not begin to wait", async () => {
  let refuse: (error: Error) => void = () => undefined;
  const query = vi.fn(
    () =>
      new Promise((_, reject) => {
        refuse = reject;
      }),
  );
  const { file, abort } = exporting(query);
  abort.abort();
  refuse(refusal("RATE_LIMITED", 7));
  await vi.advanceTimersByTimeAsync(0);
  expect(vi.getTimerCount()).toBe(0);
  await expect(file).rejects.toThrow("abort");
  expect(query).toHaveBeenCalledTimes(1);
});

test("an export listens for being cancelled only as long as it waits", async () => {
  const query = vi.fn().mockRejectedValueOnce(refusal("RATE_LIMITED", 7)).mockResolvedValueOnce(LAST);
  const { file, abort } = exporting(query);
  const remove = vi.spyOn(abort.signal, "removeEventListener");
  await vi.advanceTimersByTimeAsync(7_000);
  await file;
  expect(remove).toHaveBeenCalledExactlyOnceWith("abort", expect.anything(), undefined);
});

test("an export ends where the rate is refused and nothing says for how long", async () => {
  const { file } = exporting(() => Promise.reject(refusal("RATE_LIMITED")));
  await expect(file).rejects.toThrow("No.");
});

test("an export ends with any other error", async () => {
  const { file } = exporting(() => Promise.reject(refusal("FORBIDDEN")));
  await expect(file).rejects.toThrow("No.");
});
