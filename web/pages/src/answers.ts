/** The types of REST's answers, with the members that the pages read. */

import type { EventMessage, MediaItem } from "@catalogizer/client";

export type Item = MediaItem & { storage_root_name: string; storage_root_protocol: string };

export interface Page {
  items: Item[];
  total: number;
  total_is_exact: boolean;
  has_next: boolean;
  next_cursor: string | null;
  facets: Record<string, { value: string; count: number }[]>;
  facets_are_exact: boolean;
}

export interface Stats {
  total_items: number;
  by_type: Record<string, number>;
  by_storage_root: Record<string, number>;
  by_library: Record<string, number>;
  total_size: number;
  size_by_storage_root: Record<string, number>;
  recent_additions: number;
}

export interface Root {
  id: number;
  name: string;
  library: string;
  site: string;
  protocol: string;
  path: string;
  state: string;
  status: string;
  connected: boolean;
  message: string | null;
  details: Record<string, unknown> | null;
  changed_at: string | null;
  status_at: string | null;
  item_count: number;
}

export interface Scan {
  scan_id: number;
  library: string;
  root: string;
  state: string;
  origin: string;
  cause: string;
  subtree: string;
  total: number | null;
  counts: Record<string, number> | null;
  started_at: string | null;
  ended_at: string | null;
}

/** A record of the change log; its members depend on `kind`. */
export interface Change {
  event_id: string;
  kind: string;
  library: string;
  root: string;
  at: string;
  n: number;
  partition: number;
  offset: number;
  path?: string;
  from_root?: string;
  from_path?: string;
  media_id?: number;
  size?: number;
  count?: number;
  state?: string;
  cause?: string;
  reason?: string;
  by?: string;
  origin?: string;
  subtree?: string;
  request?: number;
  matched?: number;
  asked?: number;
  processed?: number;
  identified?: number;
  failed?: number;
}

export interface ChangePage {
  changes: Change[];
  next_cursor: string | null;
}

export interface GapFrame {
  type: "gap";
  timestamp: string;
  channel: string;
  partition: number;
  from: number;
  to: number | null;
  reason: string;
}

export interface EventPage {
  channel: string;
  start: Record<string, number>;
  head: Record<string, number>;
  recovered: boolean;
  reason?: string;
  missed?: Record<string, { from: number; to: number | null }>;
  events: EventMessage[];
  gaps: GapFrame[];
  next: string;
  complete: boolean;
}

export interface ChannelState {
  name: string;
  event: string;
  topic: string | null;
  everybody: boolean;
  next_offsets: Record<string, number>;
  memory_from: Record<string, number>;
}

export interface Permissions {
  role: string;
  permissions: string[];
  is_admin: boolean;
}

export interface Rights {
  channels: string[];
  libraries: string[];
  storage_roots: string[];
}

export interface Account {
  id: number;
  username: string;
  email: string | null;
  role: string;
  rights: Rights;
  has_password: boolean;
  disabled: boolean;
  created_at: string | null;
  sessions: number;
}

export interface OpenSession {
  id: string;
  username: string;
  method: string;
  address: string;
  agent: string;
  created_at: string | null;
  refreshed_at: string | null;
  expires_at: string | null;
  current: boolean;
}

export interface MachineToken {
  name: string;
  role: string;
  rights: Rights;
  created_by: string;
  created_at: string | null;
  expires_at: string | null;
}

export interface Health {
  status: "healthy" | "starting" | "degraded";
  version: string;
  problems: Record<string, string>;
}

export interface Density {
  begins_at: string;
  ends_at: string;
  bucket_seconds: number;
  counts: (number | null)[];
  total: number;
}

export interface AuditPage {
  events: {
    offset: number;
    action: string;
    by: string;
    subject: string;
    at: string;
    address?: string | null;
    way?: string | null;
    why?: string | null;
    permission?: string | null;
    method?: string | null;
    path?: string | null;
  }[];
  next: number | null;
}

export interface Letter {
  offset: number;
  at: string;
  partition: number | null;
  original_offset: number | null;
  error_type: string;
  error: string;
  cut: boolean;
}

export interface Letters {
  queues: { topic: string; open: number; newest: string | null; errors: Record<string, number>; redriven_here: boolean }[];
  letters: Letter[];
}

export interface WholeLetter {
  letter: Letter;
  value: { text: string | null; b64: string | null } | null;
}

export interface Topic {
  name: string;
  purpose: string;
  retention_seconds: number | null;
  partitions: { partition: number; earliest: number; end: number }[];
  groups: { group: string; lag: number }[];
}
