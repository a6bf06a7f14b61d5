// Written by `python -m tools.generate` from schemas/; a check fails if it is out of date.

/** `data` of a `media_update`: the catalogue has a new item. */
export interface ItemCreated {
  action: "created";
  media_id: number;
  media: MediaItem;
}

/** The complete item. `directory_path` is `/<root>/<directory inside it>`; `duration` in seconds; `created_at` and `updated_at` are append times of the deciding records, ISO 8601. `category`: one of `schemas.found.CATEGORIES`; `last_episode`: of a file with several; `date`: the day in the file name, YYYY-MM-DD; `part`: of a film in several files, or the chapter of a book; `edition` as text · `artist`, `album`: of music, `author`: of books and audiobooks, `series`: of books and comics; from their tags, else from their folders · `belongs_to`: the item that this poster, subtitle or NFO file belongs to, the first if there are several · `subtitle_languages`: of the subtitles in the file and beside it, `und` if one does not name its language; of a subtitle its own, and `forced` and `sdh` are its own too · `corrected`: which members a person has set. */
export interface MediaItem {
  id: number;
  title: string;
  media_type: "archive" | "audio" | "book" | "image" | "other" | "subtitle" | "video";
  year?: number;
  description?: string;
  cover_image?: string;
  rating?: number;
  quality?: string;
  file_size: number;
  directory_path: string;
  smb_path?: string;
  created_at: string;
  updated_at: string;
  library: string;
  storage_root: string;
  path: string;
  path_b64?: string;
  fingerprint?: string;
  category?: string;
  season?: number;
  episode?: number;
  last_episode?: number;
  date?: string;
  part?: number;
  edition?: string;
  duration?: number;
  analysis?: Analysis;
  artist?: string;
  album?: string;
  author?: string;
  series?: string;
  belongs_to?: number;
  subtitle_languages?: readonly string[];
  forced?: boolean;
  sdh?: boolean;
  corrected?: readonly string[];
}

/** The newest finished analysis of an item. */
export interface Analysis {
  status: "done" | "failed" | "unreadable";
  at: string;
  reason?: string;
  found?: Found;
}

/** `cover` is the content hash (BLAKE2b-128, hex) of a thumbnail in `catalog.covers.v1`. Durations in milliseconds, sizes in pixels as they are seen, rates in Hz, bit/s, frames a second. `category`: see CATEGORIES; `warnings`: what could not be read or made although the file is complete, or that a part of the file is missing, as text · `media_type`: what the contents are, if the name implies something else · `hdr_kind`: `HDR10`, `HDR10+`, `HLG`, `Dolby Vision` · `audio_codec`, `channels`: of the audio track that is played by default; all tracks are in `audio_tracks` · `taken`: ISO 8601, with the zone if the camera knew it · `rating`: out of 10, from an NFO file */
export interface Found {
  title?: string;
  year?: number;
  season?: number;
  episode?: number;
  category?: string;
  quality?: string;
  duration_ms?: number;
  container?: string;
  video_codec?: string;
  audio_codec?: string;
  width?: number;
  height?: number;
  hdr?: boolean;
  bit_rate?: number;
  sample_rate?: number;
  channels?: number;
  pages?: number;
  languages?: readonly string[];
  subtitles?: readonly string[];
  tags?: Tags;
  cover?: string;
  warnings?: readonly string[];
  media_type?: "archive" | "audio" | "book" | "image" | "other" | "subtitle" | "video";
  hdr_kind?: string;
  frame_rate?: number;
  audio_tracks?: readonly AudioTrack[];
  subtitle_tracks?: readonly SubtitleTrack[];
  chapters?: readonly Chapter[];
  taken?: string;
  camera?: string;
  lens?: string;
  taken_at?: Place;
  credits?: readonly Credit[];
  rating?: number;
}

/** Tags inside the file (ID3, Vorbis comments, MP4 atoms, Matroska tags, EPUB and PDF metadata, ComicInfo). `artist`: of music its artist, of a book its authors, of a comic its writer. `track` and `disc`: numbers, of `tracks` and `discs` in total. `series` and the `number` in it, as written (`2`, `2.5`): of books and comics; `show`, `season`, `episode`: of videos. */
export interface Tags {
  title?: string;
  artist?: string;
  album?: string;
  track?: number;
  disc?: number;
  genre?: string;
  date?: string;
  album_artist?: string;
  composer?: string;
  tracks?: number;
  discs?: number;
  narrator?: string;
  series?: string;
  number?: string;
  show?: string;
  season?: number;
  episode?: number;
  language?: string;
  publisher?: string;
  description?: string;
}

/** An audio track, in the container's order. */
export interface AudioTrack {
  codec?: string;
  language?: string;
  channels?: number;
  title?: string;
  default?: boolean;
  commentary?: boolean;
}

/** Subtitles inside the container. `sdh`: for the deaf and hard of hearing. */
export interface SubtitleTrack {
  codec?: string;
  language?: string;
  title?: string;
  default?: boolean;
  forced?: boolean;
  sdh?: boolean;
}

/** A chapter and its beginning, in milliseconds. */
export interface Chapter {
  start_ms: number;
  title?: string;
}

/** Where a photo was taken: degrees, north and east positive (WGS 84); metres above the sea. */
export interface Place {
  latitude: number;
  longitude: number;
  altitude?: number;
}

/** A contributor. `role` as one word: `author`, `translator`, `editor`, `illustrator`, `narrator`, … */
export interface Credit {
  name: string;
  role?: string;
}

/** `data` of a `media_update`: an item has moved, or its file has other content, or what belongs to it has changed, or (`cause`) the rules of version N give another result (`rules:N`), or a person corrected it (`corrected`). `was`: of an item that comes from another root (from rules version 5 on), what it was there; an account that may not see its new root receives this as a deletion. */
export interface ItemUpdated {
  action: "updated";
  media_id: number;
  media: MediaItem;
  cause?: string;
  was?: GoneItem;
}

/** What is published about a deleted item. */
export interface GoneItem {
  id: number;
  title: string;
  media_type: "archive" | "audio" | "book" | "image" | "other" | "subtitle" | "video";
  storage_root: string;
  path: string;
  path_b64?: string;
}

/** `data` of a `media_update`: an analysis of an item has ended. */
export interface ItemAnalyzed {
  action: "analyzed";
  media_id: number;
  media: MediaItem;
  analysis_id: string;
}

/** `data` of a `media_update`: an item's file is gone. */
export interface ItemDeleted {
  action: "deleted";
  media_id: number;
  media: GoneItem;
}

/** `data` of an `analysis_complete`: once per scan that had jobs, or per quiet batch without a scan. */
export interface AnalysisComplete {
  items_processed: number;
  items_identified: number;
  items_failed: number;
  duration_ms: number;
  storage_root?: string;
  scan_id?: number;
}

/** `data` of a `system_update`. */
export interface SystemUpdate {
  action: "health_check" | "service_status" | "storage_update";
  component: string;
  status: "error" | "healthy" | "warning";
  message?: string;
  details?: Record<string, unknown>;
}

/** `data` of a `notification`. */
export interface Notification {
  type: string;
  title: string;
  message: string;
  level: "error" | "info" | "success" | "warning";
}

/** Answer to `subscribe`. Offsets by partition. `recovered` false: something wanted is gone, `missed` says what and `reason` why. */
export interface Subscribed {
  channel: string;
  start: Record<string, number>;
  head: Record<string, number>;
  epoch: string;
  mode: "live" | "log" | "ring";
  recovered: boolean;
  cursor: string;
  reason?: string;
  missed?: Record<string, MissedOffsets>;
}

/** A range of offsets that will not come: [from, to); `to` None: not known. */
export interface MissedOffsets {
  from: number;
  to: number | null;
}

/** Answer to `unsubscribe`; with `reason` also the end of a bounded replay, or of the right to the channel. */
export interface Unsubscribed {
  channel: string;
  reason?: "complete" | "forbidden";
  cursor?: string;
}

/** Every partition of the channel is live. */
export interface CaughtUp {
  channel: string;
  cursor: string;
}

/** Where the client stands in the channel. */
export interface ClientPosition {
  channel: string;
  cursor: string;
}

/** The client reads more slowly than events come; it is served at its own pace now. */
export interface Lagging {
  channel: string;
}

/** Offsets [from, to) of the partition are skipped; `to` None: not known. */
export interface GapTold {
  channel: string;
  partition: number;
  from: number;
  to: number | null;
  reason: "epoch_changed" | "retention" | "undecodable";
}

/** Of the offsets [from, to) of the partition, `skipped` events are left out: a newer one of the same item came. */
export interface Conflated {
  channel: string;
  partition: number;
  from: number;
  to: number;
  skipped: number;
}

/** The token ends soon; send `{"type":"auth","token":…}` with a new one. */
export interface Expiring {
  expires_at: string;
}

/** `data` of a `media_update`; `action` distinguishes them. */
export type MediaUpdate = ItemCreated | ItemUpdated | ItemAnalyzed | ItemDeleted;

/** The type of `data` by the `type` of an event's frame. */
export interface EventData {
  media_update: MediaUpdate;
  system_update: SystemUpdate;
  analysis_complete: AnalysisComplete;
  asset_update: Record<string, unknown>;
  notification: Notification;
}

/** The members of the gateway's own messages by their `type`; they are in `data` and beside it. */
export interface AnswerData {
  subscribed: Subscribed;
  unsubscribed: Unsubscribed;
  caught_up: CaughtUp;
  position: ClientPosition;
  lagging: Lagging;
  gap: GapTold;
  conflated: Conflated;
  auth_expiring: Expiring;
}

/** Why a message was rejected. */
export type ErrorCode = "bad_json" | "not_an_object" | "unknown_type" | "unknown_channel" | "bad_request" | "bad_cursor" | "rate_limited" | "not_subscribed" | "unavailable";

/** Every channel and the `type` of its events; `everybody`: delivered without a subscription. */
export const CHANNELS = {
  media_updates: { event: "media_update", everybody: false },
  system_updates: { event: "system_update", everybody: false },
  analysis_updates: { event: "analysis_complete", everybody: false },
  asset_updates: { event: "asset_update", everybody: false },
  notifications: { event: "notification", everybody: true },
} as const;

export type Channel = keyof typeof CHANNELS;

/** Every close code: its meaning, and whether to reconnect. */
export const CLOSE_CODES: Readonly<Record<number, { meaning: string; comeBack: boolean }>> = {
  1000: { meaning: "normal end, by the client", comeBack: false },
  1002: { meaning: "a frame that breaks the WebSocket protocol", comeBack: false },
  1003: { meaning: "a binary frame was sent", comeBack: false },
  1007: { meaning: "a text frame was not UTF-8", comeBack: false },
  1009: { meaning: "a message of more than 64 KiB", comeBack: false },
  1011: { meaning: "the client stopped answering pings", comeBack: true },
  1012: { meaning: "the gateway drains or restarts", comeBack: true },
  1013: { meaning: "too many sockets of this session", comeBack: true },
  4001: { meaning: "no token, or one that does not hold", comeBack: false },
  4002: { meaning: "the token ended while connected", comeBack: true },
  4003: { meaning: "the session was revoked", comeBack: false },
  4008: { meaning: "the client took nothing of what was sent for too long", comeBack: true },
  4009: { meaning: "too many messages or frames", comeBack: true },
  4011: { meaning: "a gap with on_gap=fail", comeBack: true },
  4012: { meaning: "no token came in the first message, or not in time", comeBack: false },
};
