/** The form of a replay: which channel, and where to begin. Shows what is wrong with the input. */

import { useEffect, useState, type FormEvent } from "react";

import type { ChannelState } from "../answers.js";
import { go, href } from "../router.js";
import { useTexts, type Texts } from "../texts/index.js";
import { Choice, Field } from "./field.js";
import { valueOf } from "./words.js";

type Kind = "last" | "time" | "offset" | "earliest";

interface Start {
  kind: Kind;
  last: string;
  time: string;
  partition: string;
  offset: string;
}

interface ReplayFormProps {
  known: readonly ChannelState[];
  channel: string;
  from: string | undefined;
}

export function ReplayForm({ known, channel, from }: ReplayFormProps) {
  const { t } = useTexts();
  const [start, setStart] = useState(() => startOf(from));
  const [of, setOf] = useState(channel);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    setStart(startOf(from));
    setOf(channel);
  }, [from, channel]);
  useEffect(() => {
    if (known.length > 0 && !known.some(({ name }) => name === of)) {
      setOf(known[0]?.name ?? ""); // the account may not follow it (any more)
    }
  }, [known, of]);
  const set = (changes: Partial<Start>): void => setStart({ ...start, ...changes });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    try {
      const place = placeOf(start, known.find(({ name }) => name === of), t);
      setWrong("");
      go(href("replay", { channel: of, from: place, again: Date.now().toString(36) }));
    } catch (error) {
      setWrong((error as Error).message);
    }
  };
  return (
    <form id="replay-form" className="card fields" onSubmit={submit}>
      <Choice label={t.replay.channel} id="channel" value={of} onChange={(event) => setOf(event.target.value)}>
        {known.map(({ name }) => (
          <option key={name} value={name}>
            {valueOf(name, t)}
          </option>
        ))}
      </Choice>
      <Choice label={t.replay.from} id="start" value={start.kind} onChange={(event) => set({ kind: event.target.value as Kind })}>
        {(["last", "time", "offset", "earliest"] as const).map((kind) => (
          <option key={kind} value={kind}>
            {t.replay.starts[kind]}
          </option>
        ))}
      </Choice>
      {start.kind === "last" && (
        <Field label={t.replay.last} id="last" type="number" min={1} max={10_000} value={start.last} onChange={(event) => set({ last: event.target.value })} />
      )}
      {start.kind === "time" && (
        <Field label={t.replay.time} id="time" type="datetime-local" step={1} value={start.time} onChange={(event) => set({ time: event.target.value })} />
      )}
      {start.kind === "offset" && (
        <>
          <Field
            label={t.replay.partition}
            id="partition"
            type="number"
            min={0}
            value={start.partition}
            onChange={(event) => set({ partition: event.target.value })}
          />
          <Field label={t.replay.offset} id="offset" type="number" min={0} value={start.offset} onChange={(event) => set({ offset: event.target.value })} />
        </>
      )}
      <button type="submit" disabled={known.length === 0}>
        {t.replay.button}
      </button>
      {wrong && (
        <p id="replay-error" className="error" role="alert">
          {wrong}
        </p>
      )}
    </form>
  );
}

/** The form's fields from the `from` of an address. */
function startOf(from: string | undefined): Start {
  const start: Start = { kind: "last", last: "200", time: "", partition: "0", offset: "0" };
  if (from === undefined) {
    return start;
  }
  if (from === "earliest") {
    return { ...start, kind: "earliest" };
  }
  if (from.startsWith("last:")) {
    return { ...start, last: from.slice(5) };
  }
  const at = new Date(from);
  if (from.includes("-") && !Number.isNaN(at.valueOf())) {
    return { ...start, kind: "time", time: new Date(at.valueOf() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19) };
  }
  const [partition = "0", offset = "0"] = from.split(",")[0]?.split(":") ?? [];
  return { ...start, kind: "offset", partition, offset };
}

/** The `from` of an address from the form's fields. Throws an Error whose message is shown to the reader. */
function placeOf(start: Start, channel: ChannelState | undefined, t: Texts): string {
  switch (start.kind) {
    case "earliest":
      return "earliest";
    case "last":
      return `last:${whole(start.last, 1, t.replay.questions.last)}`;
    case "time": {
      const at = new Date(start.time);
      if (Number.isNaN(at.valueOf())) {
        throw new Error(t.replay.questions.time);
      }
      return at.toISOString();
    }
    case "offset": {
      // one partition from the offset; the others from their end
      const all = channel?.next_offsets ?? {};
      const partition = String(whole(start.partition, 0, t.replay.questions.partition));
      if (!(partition in all)) {
        throw new Error(t.replay.questions.partitions(channel?.name ?? "", Object.keys(all).length - 1));
      }
      const offset = whole(start.offset, 0, t.replay.questions.offset);
      const others = Object.entries(all).filter(([name]) => name !== partition);
      return [[partition, offset], ...others].map(([name, offset]) => `${name}:${offset}`).join(",");
    }
  }
}

function whole(text: string, least: number, question: string): number {
  const value = Number(text);
  if (text === "" || !Number.isSafeInteger(value) || value < least) {
    throw new Error(question);
  }
  return value;
}
