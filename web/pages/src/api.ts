/** Requests to `/api/v1` with the session's token; a rejected token is renewed once. */

import { API, session } from "./session.js";

/** `status` 0: the server cannot be reached. `message`: the server's, empty if it sent none. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export interface Options {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: object;
  signal?: AbortSignal;
}

export async function api<T>(path: string, options: Options = {}): Promise<T> {
  const token = session.current();
  try {
    return await request<T>(path, token, options);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || token === null) {
      throw error;
    }
    const renewed = await session.renew(token).catch(() => null);
    if (renewed === null || renewed === token) {
      throw error;
    }
    return request<T>(path, renewed, options);
  }
}

async function request<T>(path: string, token: string | null, { method, body, signal }: Options): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token !== null) {
    headers["Authorization"] = `Bearer ${token}`;
  }
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(`${API}/${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  }).catch((error: unknown) => {
    throw error instanceof DOMException && error.name === "AbortError" ? error : new ApiError(0, "unreachable", "");
  });
  const content = (await answer.json().catch(() => ({}))) as T & { error?: string; message?: string };
  if (!answer.ok) {
    throw new ApiError(answer.status, content.error ?? "error", content.message ?? answer.statusText);
  }
  return content;
}

/** The query string of a request; empty parameters are left out, a list becomes several parameters. */
export function query(params: Record<string, string | number | boolean | readonly string[] | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value)) {
      value.forEach((one: string) => search.append(name, one));
    } else if (value !== undefined && value !== "") {
      search.append(name, String(value));
    }
  }
  return String(search);
}
