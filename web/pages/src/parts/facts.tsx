/** The fields of an item, each with its name and value; only those that it has. */

import type { Found as FoundMembers } from "@catalogizer/client";
import type { ReactNode } from "react";

import type { Item } from "../answers.js";
import { bytes, playing } from "../format.js";
import { href } from "../router.js";
import { useTexts, type Texts } from "../texts/index.js";
import { Time } from "./time.js";
import { valueOf } from "./words.js";

type Fact = [name: string, value: ReactNode];

function List({ title, facts }: { title: string; facts: Fact[] }) {
  const { t } = useTexts();
  const there = facts.filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  if (there.length === 0) {
    return null;
  }
  return (
    <section className="card">
      <h2>{title}</h2>
      <dl>
        {there.map(([name, value]) => (
          <div key={name}>
            <dt>{t.item.field[name] ?? name}</dt>
            <dd>{typeof value === "string" || typeof value === "number" ? <bdi>{value}</bdi> : value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** A value as a link to all items that have it. */
function linked(name: string, value: string | number | undefined, words?: string): ReactNode {
  return value === undefined || value === null ? undefined : (
    <a href={href("catalogue", { [name]: value })}>
      <bdi>{words ?? value}</bdi>
    </a>
  );
}

export function Facts({ item }: { item: Item }) {
  const { t, language } = useTexts();
  return (
    <List
      title={t.item.file}
      facts={[
        ["category", linked("category", item.category, item.category && valueOf(item.category, t))],
        ["media_type", linked("media_type", item.media_type, valueOf(item.media_type, t))],
        ["artist", linked("artist", item.artist)],
        ["album", linked("album", item.album)],
        ["author", linked("author", item.author)],
        ["series", linked("series", item.series)],
        ["season", item.season],
        ["episode", item.last_episode === undefined ? item.episode : `${item.episode} – ${item.last_episode}`],
        ["year", linked("year", item.year)],
        ["date", item.date],
        ["part", item.part],
        ["edition", item.edition],
        ["rating", item.rating],
        ["quality", linked("quality", item.quality)],
        ["duration", item.duration ? playing(item.duration) : undefined],
        ["file_size", item.file_size === undefined ? undefined : `${bytes(item.file_size, language)} (${item.file_size.toLocaleString(language)} B)`],
        ["library", linked("library", item.library)],
        ["storage_root", linked("storage_root", item.storage_root_name)],
        ["path", linkedPath(item)],
        ["smb_path", item.smb_path],
        ["subtitle_languages", item.subtitle_languages?.map((one) => languageOf(one, language)).join(", ")],
        ["created_at", item.created_at && <Time at={item.created_at} as="moment" />],
        ["updated_at", item.updated_at && <Time at={item.updated_at} as="moment" />],
        ["analysis", item.analysis && <><Time at={item.analysis.at} as="moment" /> · {valueOf(item.analysis.status, t)}</>],
        ["fingerprint", item.fingerprint && <code>{item.fingerprint}</code>],
      ]}
    />
  );
}

function linkedPath(item: Item): ReactNode {
  return (
    <a href={href("history", { root: item.storage_root_name, path: item.path })}>
      <bdi>{item.path}</bdi>
    </a>
  );
}

export function Found({ found }: { found: FoundMembers }) {
  const { t, language } = useTexts();
  const { tags } = found;
  return (
    <div className="stack">
      <List
        title={t.item.picture}
        facts={[
          ["container", found.container],
          ["video_codec", linked("video_codec", found.video_codec)],
          ["resolution", found.width && found.height ? `${found.width} × ${found.height}` : undefined],
          ["hdr", found.hdr_kind ?? (found.hdr ? "HDR" : undefined)],
          ["frame_rate", found.frame_rate],
          ["bit_rate", found.bit_rate && `${(found.bit_rate / 1_000).toLocaleString(language, { maximumFractionDigits: 0 })} kbit/s`],
          ["audio_codec", found.audio_codec],
          ["channels", found.channels],
          ["sample_rate", found.sample_rate && `${found.sample_rate.toLocaleString(language)} Hz`],
          ["languages", found.languages?.map((one) => languageOf(one, language)).join(", ")],
          ["pages", found.pages],
          ["camera", linked("camera", found.camera)],
          ["lens", found.lens],
          ["taken", found.taken && <Time at={found.taken} as="moment" />],
          ["taken_at", found.taken_at && `${found.taken_at.latitude.toFixed(5)}, ${found.taken_at.longitude.toFixed(5)}`],
          ["genre", linked("genre", tags?.genre)],
          ["album_artist", tags?.album_artist],
          ["composer", tags?.composer],
          ["narrator", tags?.narrator],
          ["publisher", tags?.publisher],
          ["track", tags?.track && (tags.tracks ? `${tags.track} / ${tags.tracks}` : tags.track)],
          ["disc", tags?.disc && (tags.discs ? `${tags.disc} / ${tags.discs}` : tags.disc)],
        ]}
      />
      <Rows title={t.item.audio} rows={found.audio_tracks?.map((track) => trackWords(track, t, language))} />
      <Rows title={t.item.subtitles} rows={found.subtitle_tracks?.map((track) => trackWords(track, t, language))} />
      <Rows title={t.item.people} rows={found.credits?.map(({ name, role }) => (role ? `${name} · ${role}` : name))} />
      <Rows
        title={t.item.chapters}
        rows={found.chapters?.map(({ start_ms, title }) => `${playing(start_ms / 1_000)}${title ? ` · ${title}` : ""}`)}
      />
    </div>
  );
}

interface Track {
  codec?: string;
  language?: string;
  title?: string;
  channels?: number;
  default?: boolean;
  commentary?: boolean;
  forced?: boolean;
  sdh?: boolean;
}

function trackWords(track: Track, t: Texts, language: string): string {
  const marks = (["default", "commentary", "forced", "sdh"] as const).filter((name) => track[name]).map((name) => t.item.track[name]);
  const channels = track.channels && `${track.channels} ${t.item.track.channels}`;
  return [track.language && languageOf(track.language, language), track.title, track.codec, channels, ...marks].filter(Boolean).join(" · ");
}

/** The name of a language; its code if there is no name. */
function languageOf(code: string, language: string): string {
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

function Rows({ title, rows }: { title: string; rows: readonly string[] | undefined }) {
  if (!rows?.length) {
    return null;
  }
  return (
    <section className="card">
      <h2>{title}</h2>
      <ol className="plain-list">
        {rows.map((row, index) => (
          <li key={index}>
            <bdi>{row}</bdi>
          </li>
        ))}
      </ol>
    </section>
  );
}
