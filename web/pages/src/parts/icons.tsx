/** Icons, 24 by 24, in the colour of the text. They are decoration: the text beside them has the meaning. */

const PATHS = {
  home: "M4 11 12 4l8 7M6 10v10h5v-6h2v6h5V10",
  catalogue: "M4 5h6v8H4zM14 5h6v8h-6zM4 17h6v3H4zM14 17h6v3h-6z",
  live: "M3 12h4l3-7 4 14 3-7h4",
  libraries: "M4 6h16v5H4zM4 13h16v5H4zM7 8.5h.01M7 15.5h.01",
  replay: "M4 12a8 8 0 1 0 3-6.2M4 4v4h4M12 8v4l3 2",
  history: "M6 4v16M6 7h12M6 12h9M6 17h12",
  health: "M12 20S4 15 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 6-8 11-8 11z",
  admin: "M12 4l7 3v5c0 4-3 7-7 8-4-1-7-4-7-8V7zM9 12l2 2 4-4",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-4 4-6 8-6s7 2 8 6",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4 4",
  filter: "M4 6h16M7 12h10M10 18h4",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  table: "M4 6h16M4 12h16M4 18h16",
  close: "M6 6l12 12M18 6 6 18",
  warning: "M12 4 2.5 20h19zM12 10v4M12 17h.01",
  fine: "M5 12l5 5 9-10",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  video: "M4 5h16v14H4zM10 9v6l5-3z",
  audio: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  book: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11",
  other: "M6 3h8l4 4v14H6zM14 3v4h4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function typeIcon(mediaType: string): IconName {
  return mediaType in PATHS ? (mediaType as IconName) : "other";
}
