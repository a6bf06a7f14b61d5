/** The pages' requests, as React Query's options. The keys of media are the contract's, which events make stale. */

import { queryOptions, useQuery } from "@tanstack/react-query";

import type * as A from "./answers.js";
import { api, query } from "./api.js";

const SOON_MS = 15_000;

export const permissions = queryOptions({
  queryKey: ["permissions"],
  queryFn: ({ signal }) => api<A.Permissions>("auth/permissions", { signal }),
  staleTime: 60_000,
});

/** Whether the user has a permission; false while the permissions are not known. */
export function useMay(): (permission: string) => boolean {
  const { data } = useQuery(permissions);
  return (permission) => data?.permissions.includes(permission) ?? false;
}

export const channels = queryOptions({
  queryKey: ["channels"],
  queryFn: async ({ signal }) => (await api<{ channels: A.ChannelState[] }>("channels", { signal })).channels,
  staleTime: SOON_MS,
});

export const stats = queryOptions({
  queryKey: ["media-stats"],
  queryFn: ({ signal }) => api<A.Stats>("media/stats", { signal }),
});

export const recent = (limit: number) =>
  queryOptions({
    queryKey: ["recent-media", limit],
    queryFn: ({ signal }) => api<A.Item[]>(`media/recent?limit=${limit}`, { signal }),
  });

export const item = (id: number) =>
  queryOptions({
    queryKey: ["media", id],
    queryFn: ({ signal }) => api<A.Item>(`media/${id}`, { signal }),
  });

export const searchPage = (params: Record<string, string>, cursor: string | null, size: number, facets: string) =>
  queryOptions({
    queryKey: ["media-search", params, cursor, size, facets],
    queryFn: ({ signal }) =>
      api<A.Page>(`media/search?${query({ ...params, facets, cursor: cursor ?? undefined, limit: size })}`, { signal }),
    gcTime: 60_000, // for pages that were scrolled past
  });

export const roots = queryOptions({
  queryKey: ["roots"],
  queryFn: async ({ signal }) => (await api<{ roots: A.Root[] }>("storage/roots", { signal })).roots,
  refetchInterval: SOON_MS,
});

export const scans = (root: string | undefined, limit: number) =>
  queryOptions({
    queryKey: ["scans", root ?? "", limit],
    queryFn: async ({ signal }) => (await api<{ scans: A.Scan[] }>(`scans?${query({ root, limit })}`, { signal })).scans,
    refetchInterval: SOON_MS,
  });

export interface WantedChanges {
  media_id?: number;
  root?: string;
  path?: string;
  kind?: string;
  since?: string;
}

export const changes = (wanted: WantedChanges, limit = 50) =>
  queryOptions({
    queryKey: ["changes", wanted, limit],
    queryFn: ({ signal }) => api<A.ChangePage>(`changes?${query({ ...wanted, limit })}`, { signal }),
  });

export interface WantedEvents {
  channel: string;
  from: string;
  until?: string;
  limit: number;
  storage_root?: string;
  media_type?: string;
  action?: string;
}

export function eventsPage({ channel, ...wanted }: WantedEvents, signal?: AbortSignal): Promise<A.EventPage> {
  return api<A.EventPage>(`channels/${channel}/events?${query(wanted)}`, signal ? { signal } : {});
}

export const newestEvents = (channel: string, count: number) =>
  queryOptions({
    queryKey: ["events", channel, count],
    queryFn: ({ signal }) => eventsPage({ channel, from: `last:${count}`, until: "head", limit: count }, signal),
  });

export const health = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => api<A.Health>("health", { signal }),
  refetchInterval: SOON_MS,
});

export const lag = queryOptions({
  queryKey: ["lag"],
  queryFn: async ({ signal }) => (await api<{ lag: Record<string, Record<string, number>> }>("topics/lag", { signal })).lag,
  refetchInterval: SOON_MS,
});

export const users = queryOptions({
  queryKey: ["users"],
  queryFn: async ({ signal }) => (await api<{ users: A.Account[] }>("users", { signal })).users,
});

/** The sessions of a user, or one's own. */
export const sessions = (username?: string) =>
  queryOptions({
    queryKey: ["sessions", username ?? ""],
    queryFn: async ({ signal }) =>
      (
        await api<{ sessions: A.OpenSession[] }>(
          username === undefined ? "sessions" : `users/${encodeURIComponent(username)}/sessions`,
          { signal },
        )
      ).sessions,
  });

export const tokens = queryOptions({
  queryKey: ["tokens"],
  queryFn: async ({ signal }) => (await api<{ tokens: A.MachineToken[] }>("tokens", { signal })).tokens,
});

export const providers = queryOptions({
  queryKey: ["providers"],
  queryFn: async ({ signal }) =>
    (await api<{ providers: { id: string; name: string; start: string }[] }>("auth/oidc", { signal })).providers,
  retry: false, // the form works without them
});

export const density = (channel: string) =>
  queryOptions({
    queryKey: ["density", channel],
    queryFn: ({ signal }) => api<A.Density>(`channels/${channel}/density?buckets=120`, { signal }),
    staleTime: SOON_MS,
  });

/** All queues; with `topic` its open letters too. */
export const deadLetters = (topic?: string) =>
  queryOptions({
    queryKey: ["dlq", topic ?? ""],
    queryFn: ({ signal }) => api<A.Letters>(`dlq?${query({ topic })}`, { signal }),
  });

export const deadLetter = (topic: string, offset: number) =>
  queryOptions({
    queryKey: ["dlq", topic, offset],
    queryFn: ({ signal }) => api<A.WholeLetter>(`dlq/${topic}/0/${offset}`, { signal }),
  });

export const topics = queryOptions({
  queryKey: ["topics"],
  queryFn: async ({ signal }) => (await api<{ topics: A.Topic[] }>("topics", { signal })).topics,
  refetchInterval: SOON_MS,
});
